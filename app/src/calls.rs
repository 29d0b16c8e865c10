//! The server functions: what the page can ask of the server, with JavaScript and without. Each checks the form of what
//! it was given, calls the [`Backend`], and returns; a form without JavaScript leads back to
//! the page it stood on.

#![expect(
    missing_docs,
    reason = "the structs that #[server] makes have a field for each argument, said with the function"
)]

use crate::{
    backend::{Backend, Stretch, Wish},
    chart::{self, Plot},
    range::Range,
    teller,
    view::Answer,
};
use leptos::{
    prelude::*,
    server_fn::{
        codec::{GetUrl, JsonEncoding},
        error::{FromServerFnError, ServerFnErrorErr},
    },
};
use model::{MinerId, PowerPercent, Soc, UtcMillis, demo::DemoChange};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc, time::Duration};

/// Why a call didn't do what was asked: plain words for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError(pub String);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CallError {}

impl FromServerFnError for CallError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let words = match error {
            ServerFnErrorErr::Request(_) => "The controller can't be reached. Nothing was changed.",
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                "Something in the form is missing or isn't a value that can be. Nothing was changed."
            }
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::Response(_) => {
                "The controller's answer can't be understood. Reload the page to see what is true now."
            }
            _ => "The controller couldn't do that.",
        };
        Self(words.to_owned())
    }
}

fn backend() -> Result<Arc<dyn Backend>, CallError> {
    use_context().ok_or_else(|| CallError("The controller is starting.".to_owned()))
}

async fn ask(miner: String, wish: Wish) -> Result<Answer, CallError> {
    let backend = backend()?;
    let taken_up = backend.ask(Some(MinerId(miner)), wish).await?;
    Ok(teller::answer(&taken_up, &backend.overview().snapshot))
}

/// Switches a miner off, until it is switched on again.
#[server(prefix = "/rpc", endpoint = "power_off")]
pub async fn power_off(miner: String) -> Result<Answer, CallError> {
    ask(miner, Wish::PowerOff).await
}

/// Switches a miner on. `confirmed` starts it even while the emergency latch is set; a form sends it only if ticked.
#[server(prefix = "/rpc", endpoint = "power_on")]
pub async fn power_on(miner: String, #[server(default)] confirmed: bool) -> Result<Answer, CallError> {
    ask(miner, Wish::PowerOn { confirmed }).await
}

/// Lets the battery drive a miner, or nobody.
#[server(prefix = "/rpc", endpoint = "auto_control")]
pub async fn auto_control(miner: String, enabled: bool) -> Result<Answer, CallError> {
    ask(miner, Wish::AutoControl { enabled }).await
}

/// Holds a power for a while: 1 to 100 percent, 0.1 to 168 hours.
#[server(prefix = "/rpc", endpoint = "manual_power")]
pub async fn manual_power(miner: String, percent: u8, hours: f64) -> Result<Answer, CallError> {
    let Some(percent) = PowerPercent::new(percent) else {
        return Err(CallError("The power must be 1 to 100 percent.".to_owned()));
    };
    let hold = (0.1..=168.0).contains(&hours).then(|| Duration::try_from_secs_f64(hours * 3600.0).ok());
    let Some(hold) = hold.flatten() else {
        return Err(CallError("A power can be held for 6 minutes to 168 hours.".to_owned()));
    };
    ask(miner, Wish::Manual { percent, hold }).await
}

/// Signs in anew at the battery's source.
#[server(prefix = "/rpc", endpoint = "refresh_session")]
pub async fn refresh_session() -> Result<Answer, CallError> {
    backend()?.refresh_battery_session().await?;
    Ok(Answer { words: "Signed in anew.".to_owned(), command: None })
}

/// Dismisses the alerts that are over, and folds away those that still hold: all that a person can have read at the
/// instant `until`, in milliseconds since 1970.
#[server(prefix = "/rpc", endpoint = "clear_alerts")]
pub async fn clear_alerts(until: i64) -> Result<(), CallError> {
    backend()?.clear_alerts(UtcMillis(until)).await
}

/// The charts of the battery and a miner, the first one if none is named, over a range: up to now, or around an instant in
/// milliseconds since 1970.
#[server(prefix = "/rpc", endpoint = "chart", input = GetUrl)]
pub async fn draw_chart(
    range: Range,
    #[server(default)] at: Option<i64>,
    #[server(default)] miner: Option<String>,
) -> Result<Plot, CallError> {
    let stretch = Stretch::new(range, at);
    let history = backend()?.history(miner.map(MinerId), stretch, chart::POINTS_ALIVE).await?;
    Ok(chart::plot(&history))
}

/// A part of what the charts show, in as many points as the whole has: instants in milliseconds since 1970.
#[server(prefix = "/rpc", endpoint = "chart_part", input = GetUrl)]
pub async fn draw_chart_part(
    from: i64,
    to: i64,
    #[server(default)] miner: Option<String>,
) -> Result<chart::Stretch, CallError> {
    if from >= to {
        return Err(CallError("A stretch of time ends after it began.".to_owned()));
    }
    let stretch = Stretch::Between { from: UtcMillis(from), to: UtcMillis(to) };
    let history = backend()?.history(miner.map(MinerId), stretch, chart::POINTS_ALIVE).await?;
    Ok(chart::stretch(&history))
}

/// Lets the demo's time run so many times as fast as ours; 0 pauses it.
#[server(prefix = "/rpc", endpoint = "demo_pace")]
pub async fn demo_pace(pace: f64) -> Result<(), CallError> {
    backend()?.change_demo(DemoChange::Pace(pace)).await
}

/// Lives through so many seconds of the demo as fast as the machine can.
#[server(prefix = "/rpc", endpoint = "demo_jump")]
pub async fn demo_jump(seconds: u32) -> Result<(), CallError> {
    backend()?.change_demo(DemoChange::Jump(seconds)).await
}

/// Sets the charge of the demo's battery, 0 to 100 percent.
#[server(prefix = "/rpc", endpoint = "demo_charge")]
pub async fn demo_charge(percent: f64) -> Result<(), CallError> {
    let Some(charge) = Soc::new(percent) else {
        return Err(CallError("A charge is 0 to 100 percent.".to_owned()));
    };
    backend()?.change_demo(DemoChange::Charge(charge)).await
}

/// Switches a fault of the demo on or off, by its name.
#[server(prefix = "/rpc", endpoint = "demo_fault")]
pub async fn demo_fault(fault: String, on: bool) -> Result<(), CallError> {
    backend()?.change_demo(DemoChange::Fault { fault, on }).await
}

/// Nothing is wrong with the demo any more.
#[server(prefix = "/rpc", endpoint = "demo_heal")]
pub async fn demo_heal() -> Result<(), CallError> {
    backend()?.change_demo(DemoChange::Heal).await
}
