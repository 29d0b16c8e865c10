//! The site folder: the page's module, script, style and pictures, as the build made them.
//!
//! An installed program has `Leptos.toml`, `hash.txt` and `site/` beside it. Files under `pkg/` carry the hash of what
//! they hold in their names: a browser may keep them for ever. Everything else is asked for again and answered with 304
//! while it is the same.

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::Response,
    routing::get_service,
};
use leptos::config::{LeptosOptions, get_configuration};
use std::{
    env,
    path::{Path, PathBuf},
};
use tower_http::services::ServeDir;

/// What the site's settings stand in.
const SETTINGS: &str = "Leptos.toml";

/// A site folder that is there and whole.
#[derive(Debug, Clone)]
pub struct Site {
    options: LeptosOptions,
    root: PathBuf,
}

/// Why a directory holds no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteProblem {
    /// A part of it is missing.
    #[error("{} isn't there", .0.display())]
    Missing(PathBuf),
    /// The settings can't be read.
    #[error("{}: {why}", .path.display())]
    Settings {
        /// Their file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Site {
    /// The site in `directory`, or beside the running program.
    ///
    /// # Errors
    /// If there is none, or a part of it is missing.
    pub fn find(directory: Option<&Path>) -> Result<Self, SiteProblem> {
        if let Some(directory) = directory {
            return Self::in_directory(directory);
        }
        let program = env::current_exe().unwrap_or_default();
        Self::in_directory(program.parent().unwrap_or(Path::new(".")))
    }

    fn in_directory(directory: &Path) -> Result<Self, SiteProblem> {
        let present = |path: PathBuf| if path.exists() { Ok(path) } else { Err(SiteProblem::Missing(path)) };
        let path = present(directory.join(SETTINGS))?;
        let problem = |why: String| SiteProblem::Settings { path: path.clone(), why };
        let text = path.to_str().ok_or_else(|| problem("its path isn't text".to_owned()))?;
        let mut options =
            get_configuration(Some(text)).map_err(|error| problem(error.to_string()))?.leptos_options;
        let root = present(directory.join(&*options.site_root))?;
        present(root.join(&*options.site_pkg_dir))?;
        let hashes = directory.join(&*options.hash_file);
        if options.hash_files {
            present(hashes.clone())?;
        }
        // The program may be started from anywhere.
        options.site_root = root.to_string_lossy().into();
        options.hash_file = hashes.to_string_lossy().into();
        Ok(Self { options, root })
    }

    /// What the page's document needs to name its script and style.
    pub fn options(&self) -> LeptosOptions {
        self.options.clone()
    }

    /// Serves the files.
    pub(super) fn routes(&self) -> Router {
        let files = |directory: PathBuf| {
            ServeDir::new(directory)
                .append_index_html_on_directories(false)
                .precompressed_br()
                .precompressed_gzip()
        };
        let package = &*self.options.site_pkg_dir;
        let hashed =
            Router::new().fallback_service(files(self.root.join(package))).layer(map_response(for_ever));
        let icon = get_service(files(self.root.clone())).layer(map_response(ask_again));
        Router::new().nest(&format!("/{}", package.trim_matches('/')), hashed).route("/icon.svg", icon)
    }
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
