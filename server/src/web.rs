//! Everything that is answered over HTTP, behind the one gate.

use crate::{
    access::{Access, Gate, gate},
    demo::Switches,
    events::{self, News},
    headers,
    keeping::Keeping,
    metrics::{self, Metrics},
    network::Network,
    notify::{Notifier, Patience},
    outlook::Outlook,
    page::{self, PageBackend, Site},
    rest::{self, Api, Exports},
    settings::Settings,
};
use axum::{
    Router,
    middleware::{from_fn_with_state, map_response},
};
use devices::discovery::Ports;
use std::{net::IpAddr, sync::Arc};
use store::Store;
use tokio_util::sync::CancellationToken;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate, predicate::NotForContentType},
    csrf::CsrfLayer,
};

/// How hard gzip tries, of 9. The page's document takes half the time of the usual 6, and is a fiftieth larger.
const EFFORT: i32 = 4;

/// What the answers are made of.
pub struct Setup {
    /// The running site, and what can be set.
    pub settings: Settings,
    /// What was kept; `None` if the database can't be used.
    pub store: Option<Store>,
    /// What is kept on the disk.
    pub keeping: Keeping,
    /// What can be switched in the demo house.
    pub switches: Option<Switches>,
    /// The page's files; `None` where there are none.
    pub files: Option<Site>,
    /// Who may change something.
    pub access: Access,
    /// The names that are answered to, besides those of this machine and bare addresses.
    pub hosts: Vec<String>,
    /// Who is believed about who is behind them.
    pub proxies: Vec<IpAddr>,
    /// The ports at which a search looks for devices.
    pub ports: Ports,
    /// How long is waited for who is told of alerts.
    pub patience: Patience,
    /// Ends a search, the telling of alerts, and the streams of events, which would otherwise keep their connections open.
    pub closing: CancellationToken,
}

/// The page at `/`, the API under `/api`, metrics at `/metrics`.
///
/// # Errors
/// If this machine can't speak HTTPS at all.
pub fn router(setup: Setup) -> reqwest::Result<Router> {
    let Setup { settings, store, keeping, switches, files, access, hosts, proxies, ports, patience, closing } =
        setup;
    let door = Gate::new(access.clone(), hosts, proxies);
    let build = files.as_ref().map(Site::build).unwrap_or_default();
    let (site, current) = (settings.handle(), settings.current());
    let network = Network::new(site.clone(), current.clone(), ports, closing.clone());
    let notifier = Notifier::start(&settings, store.clone(), patience, closing.clone())?;
    let outlook = Outlook {
        site: site.clone(),
        current: current.clone(),
        network: network.clone(),
        notifier: notifier.clone(),
        switches,
        build,
    };
    let looking = network.clone();
    tokio::spawn(async move { looking.keep_looking().await });
    let news = News::start(outlook.clone(), closing);
    let metrics = Metrics::new(site.clone(), current.clone(), news.clone(), keeping.clone());
    let api = Api {
        site,
        current,
        store: store.clone(),
        exports: Exports::default(),
        network: network.clone(),
        notifier: notifier.clone(),
        keeping: keeping.clone(),
    };
    let backend = Arc::new(PageBackend { outlook, store, news: news.clone() });
    let api = rest::routes(api).merge(events::routes(news.clone())).fallback(rest::not_found);
    let parts = page::Parts { backend, access, settings, news, network, notifier, keeping };
    let router = page::routes(parts, files.as_ref())
        .nest("/api", api)
        .merge(metrics::routes(metrics))
        .method_not_allowed_fallback(rest::method_not_allowed)
        .layer(CatchPanicLayer::custom(rest::broken))
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(EFFORT)).compress_when(
            // A whole database would keep a small machine busy for minutes.
            DefaultPredicate::new().and(NotForContentType::const_new(page::DATABASE)),
        ))
        .layer(CsrfLayer::new().with_rejection_response(rest::cross_origin))
        .layer(from_fn_with_state(door, gate))
        .layer(map_response(headers::add));
    Ok(router)
}
