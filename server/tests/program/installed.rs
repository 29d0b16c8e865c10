//! The program as it is installed: with its page beside it, started from anywhere.

use crate::child::{BUILT, PATIENCE, Program, run};
use reqwest::header;
use std::{fs, path::Path};

/// The demo with time standing still and nothing behind it.
const DEMO: [&str; 11] = [
    "--demo",
    "--house",
    "one",
    "--port",
    "0",
    "--scale",
    "0",
    "--history",
    "0",
    "--start",
    "2026-06-21T18:00:00Z",
];

/// An installed program whose page is a few bytes.
fn install(directory: &Path) {
    fs::copy(BUILT, directory.join("wm-controller")).unwrap();
    lay_out_page(directory);
}

fn lay_out_page(directory: &Path) {
    let package = directory.join("site/pkg");
    fs::create_dir_all(&package).unwrap();
    fs::write(directory.join("hash.txt"), "js: J\nwasm: W\ncss: C\n").unwrap();
    fs::write(directory.join("site/icon.svg"), "<svg/>").unwrap();
    fs::write(directory.join("site/sw.js"), "").unwrap();
    for file in ["J.js", "W.wasm", "C.css"] {
        fs::write(package.join(format!("wm-controller.{file}")), "plain").unwrap();
        fs::write(package.join(format!("wm-controller.{file}.br")), "packed").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_finds_its_page_beside_itself_wherever_it_is_started() {
    let (installed, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    install(installed.path());
    let path = installed.path().join("wm-controller");
    let mut program = Program::start_from(&path, elsewhere.path(), &DEMO, &[]);
    let base = format!("http://{}", program.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let html = client.get(&base).send().await.unwrap().text().await.unwrap();
    for file in ["J.js", "W.wasm", "C.css"] {
        let name = format!("/pkg/wm-controller.{file}");
        assert!(html.contains(&name), "{name}: {html}");
        let packed = client.get(format!("{base}{name}")).header(header::ACCEPT_ENCODING, "br");
        let packed = packed.send().await.unwrap();
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(packed.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(packed.bytes().await.unwrap(), "packed");
        assert_eq!(client.get(format!("{base}{name}")).send().await.unwrap().text().await.unwrap(), "plain");
    }
    let ended = program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(elsewhere.path().join("data").exists(), "data is kept where it was started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_s_program_finds_its_page_where_packages_have_such_files() {
    let system = tempfile::tempdir().unwrap();
    let (programs, shared) = (system.path().join("bin"), system.path().join("share/wm-controller"));
    fs::create_dir_all(&programs).unwrap();
    fs::create_dir_all(&shared).unwrap();
    fs::copy(BUILT, programs.join("wm-controller")).unwrap();
    lay_out_page(&shared);
    let mut program = Program::start_from(&programs.join("wm-controller"), system.path(), &DEMO, &[]);
    let base = format!("http://{}", program.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let script = client.get(format!("{base}/pkg/wm-controller.J.js")).send().await.unwrap();
    assert_eq!(script.text().await.unwrap(), "plain");
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_page_s_files_the_page_is_plain_and_works() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = Program::start(elsewhere.path(), &DEMO, &[]);
    let base = format!("http://{}", program.address().await);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let html = client.get(&base).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Switch off") && !html.contains("/pkg/"), "{html}");
    let ended = program.stop().await;
    assert!(ended.err.contains("neither style nor script"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_is_named_must_hold_a_whole_page() {
    let installed = tempfile::tempdir().unwrap();
    install(installed.path());
    for part in ["hash.txt", "site/pkg", "site/sw.js"] {
        let moved = installed.path().join("moved");
        fs::rename(installed.path().join(part), &moved).unwrap();
        let site = installed.path().to_str().unwrap();
        let ended = run(installed.path(), &[DEMO.as_slice(), &["--site", site]].concat()).await;
        assert_eq!(ended.status.code(), Some(1), "{part}");
        assert!(ended.err.contains(&format!("{part} isn't there")), "{}", ended.err);
        fs::rename(&moved, installed.path().join(part)).unwrap();
    }
}
