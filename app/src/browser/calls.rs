//! Calls to the server without leaving the page.

use crate::view::Answer;
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, HtmlElement, HtmlFormElement, RequestInit, Response, UrlSearchParams};

/// Said until there is an answer.
const SENDING: &str = "Sending …";
/// Said when there was no answer.
const NO_ANSWER: &str = "The controller can't be reached. Nothing is known to have changed.";

/// Sends a form as the browser would, and stays. `pending` is set meanwhile; afterwards `fate` tells what follows from
/// it, or `refusal` why it was refused.
pub(crate) fn submit(
    event: &SubmitEvent,
    pending: RwSignal<bool>,
    refusal: RwSignal<Option<String>>,
    fate: RwSignal<Answer>,
) {
    event.prevent_default();
    let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let (Some(form), false) = (form, pending.get_untracked()) else { return };
    let Ok(fields) = FormData::new_with_form(&form) else { return };
    // The button that was pressed may carry a value of its own.
    if let Some(button) = event.submitter().and_then(|submitter| submitter.dyn_into::<HtmlElement>().ok())
        && let (Some(name), Some(value)) = (button.get_attribute("name"), button.get_attribute("value"))
    {
        let _ = fields.append_with_str(&name, &value);
    }
    let Ok(body) = UrlSearchParams::new_with_str_sequence_sequence(&fields) else { return };
    pending.set(true);
    refusal.set(None);
    fate.set(Answer { words: SENDING.to_owned(), command: None });
    spawn_local(async move {
        let answer = ask(&form.action(), Some(&body)).await;
        // Most have nothing to say: what they did is seen.
        let told = answer.as_ref().ok().and_then(|text| serde_json::from_str::<Option<Answer>>(text).ok());
        fate.set(told.flatten().unwrap_or_default());
        refusal.set(answer.err());
        pending.set(false);
    });
}

/// Asks for something: with a body by POST, without one by GET. The answer's text; else words for the person.
pub(super) async fn ask(url: &str, body: Option<&JsValue>) -> Result<String, String> {
    let options = RequestInit::new();
    if let Some(body) = body {
        options.set_method("POST");
        options.set_body(body);
    }
    let answer = async {
        let response = JsFuture::from(window().fetch_with_str_and_init(url, &options)).await?;
        let response: Response = response.dyn_into()?;
        let text = JsFuture::from(response.text()?).await?;
        Ok::<_, JsValue>((response.ok(), text.as_string().unwrap_or_default()))
    };
    match answer.await {
        Ok((true, text)) => Ok(text),
        // An error of ours is its words.
        Ok((false, text)) => {
            Err(serde_json::from_str(&text).unwrap_or_else(|_| "The controller couldn't do that.".to_owned()))
        }
        Err(_) => Err(NO_ANSWER.to_owned()),
    }
}
