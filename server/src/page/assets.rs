//! The site folder: the page's module, script, style and pictures, as the build made them.
//!
//! An installed program has `hash.txt` and `site/` beside it, or where a system's packages have such files. Files under `pkg/` carry the hash of what they hold in their
//! names, those under `vendor/` a version: a browser may keep them for ever. Everything else is asked for again and
//! answered with 304 while it is the same.
//!
//! The service worker (`sw.js`) is told here what all files hash to, the site's build, and which of them every page needs:
//! it keeps those, and a new build makes a new worker.

use super::manifest::manifest;
use app::{FONT, Files};
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::Response,
    routing::{get, get_service},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tower_http::services::ServeDir;

/// The page's own files, as `xtask::page` makes them: where they are, among them those that the build made, what these are
/// called, and what has their hashes.
const FILES: &str = "site";
const PACKAGE: &str = "pkg";
const NAME: &str = "wm-controller";
const HASHES: &str = "hash.txt";
/// Where they are from the directory of a program that a package brought: `/usr/bin` has programs only.
const SHARED: &str = "../share/wm-controller";
/// The service worker, as it is written: without what it is told here.
const WORKER: &str = "sw.js";
/// Files that every page needs and whose names carry no hash.
const PLAIN: [&str; 2] = ["/early.js", "/icon.svg"];
/// What the code that draws the charts is called, among the hashes and in its file's name.
const CHART_CODE: &str = "echarts";

/// A site folder that is there and whole.
#[derive(Debug, Clone)]
pub struct Site {
    root: PathBuf,
    files: Arc<Files>,
    build: Arc<str>,
    worker: String,
}

/// Why a directory holds no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteProblem {
    /// A part of it is missing.
    #[error("{} isn't there", .0.display())]
    Missing(PathBuf),
    /// A part of it can't be read.
    #[error("{}: {why}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Site {
    /// The site in `directory`, or where the running program has it.
    ///
    /// # Errors
    /// If there is none, or a part of it is missing.
    pub fn find(directory: Option<&Path>) -> Result<Self, SiteProblem> {
        if let Some(directory) = directory {
            return Self::in_directory(directory);
        }
        let program = env::current_exe().unwrap_or_default();
        let beside = program.parent().unwrap_or(Path::new("."));
        let shared = beside.join(SHARED);
        let is_shared = !beside.join(HASHES).exists() && shared.join(HASHES).exists();
        Self::in_directory(if is_shared { &shared } else { beside })
    }

    fn in_directory(directory: &Path) -> Result<Self, SiteProblem> {
        let present = |path: PathBuf| if path.exists() { Ok(path) } else { Err(SiteProblem::Missing(path)) };
        let root = present(directory.join(FILES))?;
        present(root.join(PACKAGE))?;
        let hashes = present(directory.join(HASHES))?;
        let script = present(root.join(WORKER))?;
        let unreadable = |path: &Path, error: io::Error| SiteProblem::Unreadable {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let build = hash(&root).map_err(|error| unreadable(&root, error))?;
        let names = fs::read_to_string(&hashes).map_err(|error| unreadable(&hashes, error))?;
        let script = fs::read_to_string(&script).map_err(|error| unreadable(&script, error))?;
        let hashes: BTreeMap<&str, &str> = names.lines().filter_map(|line| line.split_once(": ")).collect();
        let named = |kind: &str, name: &str, ending: &str| {
            let hash = hashes.get(kind)?;
            Some(format!("/{PACKAGE}/{name}.{hash}.{ending}"))
        };
        let needed = |kind: &str| {
            let missing = || SiteProblem::Missing(PathBuf::from(format!("{kind} in {HASHES}")));
            named(kind, NAME, kind).ok_or_else(missing)
        };
        let files = Files {
            style: needed("css")?,
            script: needed("js")?,
            module: needed("wasm")?,
            charts: named(CHART_CODE, CHART_CODE, "js"),
        };
        let worker = worker(&build, &files, &script);
        Ok(Self { root, files: Arc::new(files), build: build.into(), worker })
    }

    /// What the files hash to. It is another as soon as one of them is.
    pub fn build(&self) -> Arc<str> {
        Arc::clone(&self.build)
    }

    /// What documents name of them.
    pub(super) fn files(&self) -> Arc<Files> {
        Arc::clone(&self.files)
    }

    /// Serves the files, and what is made of them for the site, which may be called otherwise tomorrow.
    pub(super) fn routes(&self, site_name: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
        let files = |directory: PathBuf| {
            ServeDir::new(directory)
                .append_index_html_on_directories(false)
                .precompressed_br()
                .precompressed_gzip()
        };
        let named = |directory: &str| {
            Router::new().fallback_service(files(self.root.join(directory))).layer(map_response(for_ever))
        };
        let files = files(self.root.clone());
        let plain = PLAIN
            .into_iter()
            .chain(["/install/{file}"])
            .fold(Router::new(), |plain, path| plain.route(path, get_service(files.clone())));
        let made = |kind: &'static str, text: String| async move { ([(header::CONTENT_TYPE, kind)], text) };
        let worker = self.worker.clone();
        let asked_again = plain
            .route("/sw.js", get(move || made("text/javascript; charset=utf-8", worker.clone())))
            .route(
                "/manifest.webmanifest",
                get(move || made("application/manifest+json", manifest(&site_name()))),
            )
            .layer(map_response(ask_again));
        Router::new()
            .nest(&format!("/{PACKAGE}"), named(PACKAGE))
            .nest("/vendor", named("vendor"))
            .merge(asked_again)
    }
}

/// What all files below a directory hash to, by their names and contents. Their packed copies tell nothing new.
fn hash(directory: &Path) -> io::Result<String> {
    let mut files = BTreeMap::new();
    read(directory, &mut files)?;
    let mut hasher = DefaultHasher::new();
    for (path, contents) in files {
        (path.strip_prefix(directory).unwrap_or(&path), contents).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn read(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
        } else if path.extension().is_none_or(|extension| extension != "br" && extension != "gz") {
            let contents = fs::read(&path)?;
            files.insert(path, contents);
        }
    }
    Ok(())
}

/// The service worker with what it has to know before it.
fn worker(build: &str, files: &Files, script: &str) -> String {
    let files = [&files.script, &files.module, &files.style].map(String::as_str);
    let files: Vec<&str> = files.into_iter().chain([FONT]).chain(PLAIN).collect();
    format!("const BUILD = {};\nconst FILES = {};\n{script}", json!(build), json!(files))
}

async fn for_ever(mut response: Response) -> Response {
    keep(&mut response, "public, max-age=31536000, immutable");
    response
}

async fn ask_again(mut response: Response) -> Response {
    keep(&mut response, "no-cache");
    response
}

/// Says how long a file may be kept. Of one that isn't there, nothing is said.
fn keep(response: &mut Response, how: &'static str) {
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(how));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use tower::ServiceExt;

    /// A site of a few bytes.
    fn site() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir_all(path("site/pkg")).unwrap();
        fs::create_dir_all(path("site/install")).unwrap();
        fs::write(path("hash.txt"), "js: J\nwasm: W\ncss: C\nsplit: S\n").unwrap();
        for name in ["pkg/wm-controller.J.js", "icon.svg", "early.js", "install/icon-192.png", "secret.txt"] {
            fs::write(path("site").join(name), "it").unwrap();
        }
        fs::write(path("site/sw.js"), "// the script\n").unwrap();
        directory
    }

    async fn ask(routes: &Router, path: &str) -> (StatusCode, String, String, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes.clone().oneshot(request).await.unwrap();
        let header = |name| {
            let value = response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (kind, kept) = (header(header::CONTENT_TYPE), header(header::CACHE_CONTROL));
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, kind, kept, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_worker_knows_its_build_and_every_file_it_has_to_keep() {
        let directory = site();
        let site = Site::find(Some(directory.path())).unwrap();
        let (status, kind, kept, text) = ask(&site.routes(|| "Home".to_owned()), "/sw.js").await;
        assert_eq!((status.as_u16(), kind.as_str()), (200, "text/javascript; charset=utf-8"));
        assert_eq!(kept, "no-cache");
        let expected = format!(
            "const BUILD = \"{}\";\nconst FILES = [\"/pkg/wm-controller.J.js\",\"/pkg/wm-controller.W.wasm\",\
             \"/pkg/wm-controller.C.css\",\"{FONT}\",\"/early.js\",\"/icon.svg\"];\n// the script\n",
            site.build()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn its_files_are_found_from_anywhere() {
        let directory = site();
        let from_here = std::env::current_dir().unwrap();
        let up: PathBuf = from_here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(directory.path().strip_prefix("/").unwrap());
        assert_eq!(
            Site::find(Some(&relative)).unwrap().files(),
            Site::find(Some(directory.path())).unwrap().files()
        );
    }

    #[test]
    fn the_build_is_another_as_soon_as_one_file_is() {
        let directory = site();
        let build = || Site::find(Some(directory.path())).unwrap().build();
        let mut builds = vec![build()];
        assert_eq!(build(), builds[0], "nothing has changed");
        fs::write(directory.path().join("site/pkg/wm-controller.J.js.br"), "packed").unwrap();
        assert_eq!(build(), builds[0], "packing changes nothing");
        fs::write(directory.path().join("site/icon.svg"), "another").unwrap();
        builds.push(build());
        fs::write(directory.path().join("site/sw.js"), "// another").unwrap();
        builds.push(build());
        fs::rename(directory.path().join("site/early.js"), directory.path().join("site/late.js")).unwrap();
        builds.push(build());
        for (i, one) in builds.iter().enumerate() {
            assert!(builds.iter().skip(i + 1).all(|other| other != one), "{builds:?}");
        }
    }

    #[tokio::test]
    async fn nothing_but_the_listed_is_served() {
        let directory = site();
        let routes = Site::find(Some(directory.path())).unwrap().routes(|| "Home".to_owned());
        for path in ["/icon.svg", "/early.js", "/install/icon-192.png"] {
            let (status, _, kept, text) = ask(&routes, path).await;
            assert_eq!((status.as_u16(), kept.as_str(), text.as_str()), (200, "no-cache", "it"), "{path}");
        }
        for path in [
            "/secret.txt",
            "/install/",
            "/install/none.png",
            "/install/..%2fsecret.txt",
            "/install/%2e%2e/secret.txt",
            "/hash.txt",
            "/pkg/",
        ] {
            let (status, _, kept, _) = ask(&routes, path).await;
            assert_eq!((status.as_u16(), kept.as_str()), (404, ""), "{path}");
        }
    }

    #[tokio::test]
    async fn the_manifest_says_what_it_is_and_is_asked_for_again() {
        let directory = site();
        let routes = Site::find(Some(directory.path())).unwrap().routes(|| "Home".to_owned());
        let (status, kind, kept, text) = ask(&routes, "/manifest.webmanifest").await;
        assert_eq!((status.as_u16(), kind.as_str()), (200, "application/manifest+json"));
        assert_eq!((kept, text), ("no-cache".to_owned(), manifest("Home")));
    }
}
