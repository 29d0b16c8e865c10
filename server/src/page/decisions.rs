//! The page of the journal.

use super::{Page, query};
use app::decisions::{self, Filter};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Html,
};
use model::journal::Position;

/// What was decided, as far as the address asks for it.
pub(super) async fn show(State(page): State<Page>, request: Request<Body>) -> Html<String> {
    let query = query(&request);
    let overview = page.backend.overview();
    let zone = &overview.site.timezone;
    let mut filter = Filter::read(&query, overview.snapshot.miners.iter().map(|miner| &miner.id));
    let mut question = filter.question(zone);
    let mut found = page.backend.journal(&question).await;
    // Where nothing newer follows, this is the first page: it is shown whole, and as such.
    let is_first = found.as_ref().is_ok_and(|page| page.newer.is_none());
    if is_first && matches!(question.position, Position::NewerThan(_)) {
        filter = filter.newest();
        question = filter.question(zone);
        found = page.backend.journal(&question).await;
    }
    let journal = decisions::tell(&overview, filter, found.map_err(|error| error.to_string()));
    Html(app::journal(journal, page.files.as_deref()))
}
