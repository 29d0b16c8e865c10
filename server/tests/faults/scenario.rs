//! A scenario: what goes wrong, what is expected, and the function that does it and tells what it saw.

use std::{future::Future, pin::Pin};

type Run = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Seen>>> + Send + Sync>;

/// Something that goes wrong, tried.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The rows of the list that it shows.
    pub(crate) rows: &'static [&'static str],
    /// What is to happen, in a sentence.
    pub(crate) expected: &'static str,
    run: Run,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What the simulated devices did, or the program, where it is about that.
    pub(crate) done: String,
    /// What the page and the API said.
    pub(crate) told: String,
}

impl Scenario {
    /// `run` fails by panicking, as a test does.
    pub(crate) fn new<F: Future<Output = Seen> + 'static>(
        name: &'static str,
        rows: &'static [&'static str],
        expected: &'static str,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self { name, rows, expected, run: Box::new(move || Box::pin(run())) }
    }

    /// Tries it, on a runtime of its own.
    pub(crate) fn run(&self) -> Seen {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on((self.run)())
    }
}
