//! Forms: sent by the browser itself where there is no JavaScript, else without leaving the page.

use super::pieces::drive_of;
use crate::{live::Live, view::Answer};
use leptos::{either::Either, prelude::*};

/// What became of what was sent last from one place of the page. A handle: copies are the same.
#[derive(Clone, Copy)]
pub(super) struct Fate(RwSignal<Answer>);

impl Fate {
    pub(super) fn new() -> Self {
        Self(RwSignal::new(Answer::default()))
    }

    /// Says it in a line, which follows the command that went out to `miner` as far as that comes.
    pub(super) fn line(self, live: Live, miner: &str) -> impl IntoView + use<> {
        // Numbers rise: what isn't there any more although a newer one is, has been told to its end.
        let followed = drive_of(live, miner, move |drive| {
            let number = self.0.with(|answer| answer.command)?;
            let command = drive.commands.iter().find(|command| command.id == number);
            let is_past = drive.commands.first().is_some_and(|newest| newest.id > number);
            command.map(|command| command.progress.clone()).or_else(|| is_past.then(String::new))
        });
        let words =
            Memo::new(move |_| followed.get().unwrap_or_else(|| self.0.with(|answer| answer.words.clone())));
        let speaks = move || words.with(|words| !words.is_empty());
        view! {
            <p class="fate" class:speaks=speaks role="status">
                {move || words.get()}
            </p>
        }
    }
}

/// A form that calls one of [`crate::rpc`], and says below why it was refused if it was. `body` are its fields and
/// buttons.
pub(super) fn form(live: Live, call: &'static str, body: impl IntoView + 'static) -> impl IntoView {
    form_with(live, call, Fate::new(), body)
}

/// The same; what becomes of it is `fate`.
pub(super) fn form_with(
    live: Live,
    call: &'static str,
    fate: Fate,
    body: impl IntoView + 'static,
) -> impl IntoView {
    sent(live, call.to_owned(), live.refusal(call, None), fate, body)
}

/// The same, for something that is asked of a miner.
pub(super) fn form_for(
    live: Live,
    call: &'static str,
    miner: String,
    fate: Fate,
    body: impl IntoView + 'static,
) -> impl IntoView {
    // Where several miners have such a form, a refusal has to find the right one again.
    let (action, refusal) = (format!("{call}?miner={miner}"), live.refusal(call, Some(&miner)));
    let body = view! {
        <input type="hidden" name="miner" value=miner />
        {body}
    };
    sent(live, action, refusal, fate, body)
}

fn sent(
    live: Live,
    action: String,
    refusal: Option<String>,
    fate: Fate,
    body: impl IntoView + 'static,
) -> impl IntoView {
    // Nobody is shown what they can't do.
    if !live.may_change() {
        return Either::Left(());
    }
    let pending = RwSignal::new(false);
    let refusal = RwSignal::new(refusal);
    let submit = move |event| {
        #[cfg(target_arch = "wasm32")]
        crate::browser::submit(&event, pending, refusal, fate.0);
        #[cfg(not(target_arch = "wasm32"))]
        let _: (leptos::ev::SubmitEvent, Fate) = (event, fate);
    };
    Either::Right(view! {
        <form action=action method="post" on:submit=submit aria-busy=move || pending.get().to_string()>
            {body}
            {move || refusal.get().map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        </form>
    })
}
