//! The program `simulator`: a simulated house until it is interrupted (see the README).

use clap::Parser;
use serde_json::{Value, json};
use simulator::{
    network::{NetworkPorts, NetworkSetup, SimulatedNetwork},
    program::{Arguments, ControlApi, Plan, Simulation},
    time::{SimulatedClock, wall_clock},
};
use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> ExitCode {
    let filter = env::var("RUST_LOG").ok().and_then(|wish| wish.parse::<Targets>().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(Level::INFO));
    let layer = fmt::layer().with_writer(io::stderr);
    tracing_subscriber::registry().with(filter).with(layer).init();
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> io::Result<()> {
    // Before anything is announced: whoever reads the announcement may send a signal at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    if let Some(subnet) = arguments.network {
        let clock = SimulatedClock::new(arguments.start.unwrap_or_else(wall_clock), arguments.scale);
        let (ports, seed) = (NetworkPorts::default(), arguments.seed.unwrap_or(1));
        let network = SimulatedNetwork::start(&NetworkSetup { subnet, ports, seed }, clock.source()).await?;
        let miners: Vec<_> =
            network.miners().iter().map(|(at, kind)| json!({"address": at, "kind": kind})).collect();
        print(&json!({"network": subnet.to_string(), "miners": miners, "silent": network.silent()}))?;
        until_stopped(&mut interrupt, &mut terminate).await;
        return Ok(());
    }
    let Plan { setup, start } = arguments.plan()?;
    let clock = SimulatedClock::new(start.unwrap_or_else(wall_clock), arguments.scale);
    let simulation = Arc::new(Simulation::start(setup, clock.source()).await?);
    let api = ControlApi::start(arguments.api, arguments.expose, Arc::clone(&simulation), clock).await?;
    announce(&simulation, &api)?;
    until_stopped(&mut interrupt, &mut terminate).await;
    Ok(())
}

async fn until_stopped(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
}

fn announce(simulation: &Simulation, api: &ControlApi) -> io::Result<()> {
    let miners: Vec<_> = simulation
        .miners()
        .iter()
        .map(|miner| json!({"id": miner.id(), "v2": miner.v2_addr(), "v3": miner.v3_addr()}))
        .collect();
    let axeos: Vec<_> = simulation
        .axeos()
        .iter()
        .map(|device| json!({"id": device.id(), "profile": device.profile(), "addr": device.addr()}))
        .collect();
    print(&json!({
        "api": format!("http://{}", api.addr()),
        "portal": simulation.portal().base_url(),
        "miners": miners,
        "axeos": axeos,
    }))
}

/// The one line on standard output.
fn print(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
