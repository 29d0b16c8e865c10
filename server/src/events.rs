//! `GET /api/events`: the site's news as server-sent events, for the page and for scripts.
//!
//! One task tells each snapshot from the one before and puts the difference into words, once for everybody who
//! listens. Whoever begins to listen is told everything; whoever comes back, first what happened meanwhile.

use crate::{
    outlook::Outlook,
    rest::{self, ApiError},
};
use app::teller;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::get,
};
use futures::{Stream, StreamExt, stream};
use model::{
    event::{Event, Tick, changes},
    snapshot::Snapshot,
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// The shortest real time between two ticks on the wire: nobody reads faster, and a demo can tick much faster.
const PACE: Duration = Duration::from_secs(1);
/// A page is told at least this often how things stand, also while the demo's time stands still: a page that hears
/// nothing for longer takes the controller for gone.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// A page whose stream broke comes back after this time.
const COME_BACK: Duration = Duration::from_secs(3);
/// How often a silent stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many past events are kept for those who come back.
const KEPT: usize = 64;
/// How far a listener may fall behind; beyond, it is told everything anew.
const BEHIND: usize = 64;
/// How many may listen at once.
const LISTENERS: usize = 100;

/// The news. Clones are the same.
#[derive(Clone)]
pub struct News {
    shared: Arc<Shared>,
}

struct Shared {
    outlook: Outlook,
    sender: broadcast::Sender<Message>,
    past: Mutex<Past>,
    /// The page's view, in words: the latest counts, nobody waits for anybody.
    view: watch::Sender<Arc<str>>,
    /// Tells one run of the program from the next: numbers begin anew with each.
    run: String,
    renewed: Notify,
    listeners: Arc<Semaphore>,
    closing: CancellationToken,
}

#[derive(Default)]
struct Past {
    /// The number of the last event.
    last: u64,
    /// Decisions, operations and alerts, oldest first.
    kept: VecDeque<Message>,
}

/// An event in words.
#[derive(Debug, Clone)]
struct Message {
    number: u64,
    name: &'static str,
    data: Arc<str>,
}

impl News {
    /// Follows the site until `closing`, which also ends every stream.
    pub fn start(outlook: Outlook, closing: CancellationToken) -> Self {
        let run = format!("{:x}", outlook.site.now().utc.0);
        let shared = Arc::new(Shared {
            outlook,
            sender: broadcast::Sender::new(BEHIND),
            past: Mutex::default(),
            view: watch::Sender::new("".into()),
            run,
            renewed: Notify::new(),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            closing,
        });
        tokio::spawn(follow(Arc::clone(&shared)));
        Self { shared }
    }

    /// How many listen now.
    pub(crate) fn listeners(&self) -> usize {
        LISTENERS.saturating_sub(self.shared.listeners.available_permits())
    }

    /// Tells everybody how things stand, although the site hasn't ticked: a switch of the demo was moved.
    pub fn renew(&self) {
        self.shared.renewed.notify_one();
    }
}

/// Tells what is new, snapshot by snapshot.
async fn follow(shared: Arc<Shared>) {
    let mut snapshots = shared.outlook.site.follow();
    let mut before = Arc::clone(&snapshots.borrow_and_update());
    loop {
        tokio::select! {
            () = shared.closing.cancelled() => return,
            () = shared.renewed.notified() => {}
            changed = snapshots.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(HEARTBEAT) => {
                shared.show(&before);
                continue;
            }
        }
        let after = Arc::clone(&snapshots.borrow_and_update());
        shared.tell(&before, &after);
        shared.show(&after);
        before = after;
        tokio::select! {
            () = shared.closing.cancelled() => return,
            () = tokio::time::sleep(PACE) => {}
        }
    }
}

impl Shared {
    fn tell(&self, before: &Snapshot, after: &Snapshot) {
        let events = match changes(before, after) {
            Some(mut events) => {
                events.push(Event::Tick(Box::new(Tick::of(after, self.outlook.demo()))));
                events
            }
            None => vec![Event::Snapshot(Box::new(self.outlook.overview_of(after)))],
        };
        let mut past = self.past();
        for event in &events {
            let kept = matches!(event, Event::Decision(_) | Event::Operation(_) | Event::Alert(_));
            // Nobody reads a tick that has passed.
            if !kept && self.sender.receiver_count() == 0 {
                continue;
            }
            past.last += 1;
            let Some(message) = Message::of(event, past.last) else { continue };
            if kept {
                past.kept.push_back(message.clone());
                if past.kept.len() > KEPT {
                    past.kept.pop_front();
                }
            }
            // An error says that nobody listens.
            let _ = self.sender.send(message);
        }
    }

    /// Everything, as the first event for a new listener, under the number of the last event told.
    fn whole(&self, number: u64) -> Option<Message> {
        Message::of(&Event::Snapshot(Box::new(self.outlook.overview())), number)
    }

    /// Shows everybody who looks at the page how things stand.
    fn show(&self, snapshot: &Snapshot) {
        if self.view.receiver_count() > 0
            && let Some(view) = self.view(snapshot)
        {
            self.view.send_replace(view);
        }
    }

    /// What the page shows, in words.
    fn view(&self, snapshot: &Snapshot) -> Option<Arc<str>> {
        let view = teller::tell(&self.outlook.overview_of(snapshot));
        let text = serde_json::to_string(&view);
        text.map(Arc::from)
            .inspect_err(|error| tracing::error!(%error, "the page can't be put into words"))
            .ok()
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Message {
    fn of(event: &Event, number: u64) -> Option<Self> {
        let data = match event {
            Event::Snapshot(overview) => serde_json::to_string(overview),
            Event::Tick(tick) => serde_json::to_string(tick),
            Event::Decision(decided) => serde_json::to_string(decided),
            Event::Operation(operation) => serde_json::to_string(operation),
            Event::Alert(alerts) => serde_json::to_string(alerts),
        };
        match data {
            Ok(data) => Some(Self { number, name: event.name(), data: data.into() }),
            Err(error) => {
                tracing::error!(%error, event = event.name(), "an event can't be put into words");
                None
            }
        }
    }

    fn on_the_wire(&self, run: &str) -> sse::Event {
        let Self { number, name, data } = self;
        sse::Event::default().id(format!("{run}-{number}")).event(name).data(data)
    }
}

/// The endpoint.
pub fn routes(news: News) -> Router {
    Router::new().route("/events", get(listen)).with_state(news)
}

async fn listen(State(news): State<News>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let mut after = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut for_page = false;
    for (name, value) in rest::members(&uri)? {
        match (name.as_str(), value.as_str()) {
            // A browser that comes back by itself says where it stopped in the header, and that is later.
            ("after", _) => after = after.or(Some(value)),
            ("view", "page") => for_page = true,
            ("view", _) => return Err(ApiError::invalid(name, "there is one view: page")),
            _ => return Err(ApiError::invalid(name, "unknown; known: after, view")),
        }
    }
    let Ok(permit) = Arc::clone(&news.shared.listeners).try_acquire_owned() else {
        let message = format!("{LISTENERS} listen already; close a page and try again");
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_listeners", message));
    };
    let stream = if for_page {
        views(news.shared, permit).left_stream()
    } else {
        Listener::new(news.shared, after.as_deref(), permit).stream().right_stream()
    };
    // Proxies pass on at once what they would otherwise collect.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response())
}

/// The page's view now, and after that every newer one. Each is whole: who missed some needs the last alone.
fn views(
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let receiver = shared.view.subscribe();
    stream::unfold((shared, receiver, permit, true), async |(shared, mut receiver, permit, is_first)| {
        let view = if is_first {
            let now = shared.outlook.site.snapshot();
            receiver.mark_unchanged();
            shared.view(&now)?
        } else {
            tokio::select! {
                () = shared.closing.cancelled() => return None,
                changed = receiver.changed() => changed.ok()?,
            }
            Arc::clone(&receiver.borrow_and_update())
        };
        let event = sse::Event::default().event("view").data(view);
        let event = if is_first { event.retry(COME_BACK) } else { event };
        Some((Ok(event), (shared, receiver, permit, false)))
    })
}

/// One who listens.
struct Listener {
    shared: Arc<Shared>,
    receiver: broadcast::Receiver<Message>,
    /// What is to be told before anything new.
    first: VecDeque<sse::Event>,
    /// Everything up to this number has been told.
    told: u64,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    fn new(shared: Arc<Shared>, after: Option<&str>, permit: OwnedSemaphorePermit) -> Self {
        // Listening begins before the look at the past: what is new meanwhile comes twice rather than never.
        let receiver = shared.sender.subscribe();
        let (told, missed) = {
            let past = shared.past();
            let after =
                after.and_then(|id| id.strip_prefix(&shared.run)?.strip_prefix('-')?.parse::<u64>().ok());
            let missed: Vec<_> = after.map_or_else(Vec::new, |after| {
                past.kept.iter().filter(|message| message.number > after).cloned().collect()
            });
            (past.last, missed)
        };
        // What was missed comes first: everything, after it, is how things stand now.
        let messages = missed.into_iter().chain(shared.whole(told));
        let mut first: VecDeque<_> = messages.map(|message| message.on_the_wire(&shared.run)).collect();
        first.push_front(sse::Event::default().retry(COME_BACK));
        Self { shared, receiver, first, told, _permit: permit }
    }

    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, async |mut listener| {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next event; `None` once the program ends.
    async fn next(&mut self) -> Option<sse::Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        loop {
            let received = tokio::select! {
                () = self.shared.closing.cancelled() => return None,
                received = self.receiver.recv() => received,
            };
            match received {
                Ok(message) if message.number <= self.told => {}
                Ok(message) => return Some(message.on_the_wire(&self.shared.run)),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.receiver = self.receiver.resubscribe();
                    let told = self.shared.past().last;
                    self.told = told;
                    if let Some(whole) = self.shared.whole(told) {
                        return Some(whole.on_the_wire(&self.shared.run));
                    }
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
