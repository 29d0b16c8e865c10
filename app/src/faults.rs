//! The page of everything that can be wrong with the demo house: rendered, and a browser's own forms.

use crate::{
    account::around,
    page::{nav::Place, sign_in},
    rpc, teller,
    view::FaultSwitch,
};
use leptos::prelude::*;
use model::event::Overview;

/// What can be wrong with the demo house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// All of it, and what is.
    pub switches: Vec<FaultSwitch>,
    /// Whoever looks may change something.
    pub may_change: bool,
    /// Why what was asked for was refused.
    pub problem: Option<String>,
}

/// What can be wrong, as the page tells it; `None` in a real house.
pub fn tell(overview: &Overview, may_change: bool, problem: Option<String>) -> Option<Faults> {
    let switches = teller::fault_switches(overview.demo.as_ref()?);
    let (site, version) = (overview.site.name.clone(), overview.site.version.clone());
    Some(Faults { site, version, switches, may_change, problem })
}

pub(crate) fn page(faults: Faults) -> impl IntoView {
    let Faults { site, version, switches, may_change, problem } = faults;
    let wrong: Vec<_> =
        switches.iter().filter(|fault| fault.is_on).map(|fault| format!("{}.", fault.label)).collect();
    let wrong = if wrong.is_empty() { "Nothing is wrong.".to_owned() } else { wrong.join(" ") };
    let ways = if may_change {
        view! {
            <form action=rpc::DEMO_HEAL method="post">
                <button class="button">"Mend everything"</button>
            </form>
            <ul class="every-fault">{switches.into_iter().map(switch).collect_view()}</ul>
        }
        .into_any()
    } else {
        sign_in().into_any()
    };
    let body = view! {
        <nav class="subjects" aria-label="Back">
            <a class="back" href="/">"The whole house"</a>
        </nav>
        <div class="lead">
            <h1>"Faults"</h1>
            <p>"Everything that can go wrong with the demo house. Of two that are about the same, the later one holds."</p>
        </div>
        {problem.map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        <section class="card spaced" aria-labelledby="wrong">
            <h2 id="wrong">"What is wrong now"</h2>
            <p>{wrong}</p>
            {ways}
        </section>
    };
    around(site, version, Place::Faults, body.into_any())
}

fn switch(fault: FaultSwitch) -> impl IntoView {
    let FaultSwitch { code, label, is_on } = fault;
    // The way back from a form keeps what stands behind the "#": a long list is shown where it was left.
    let action = format!("{}#{code}", rpc::DEMO_FAULT);
    view! {
        <li id=code>
            <form action=action method="post">
                <input type="hidden" name="fault" value=code.clone() />
                <input type="hidden" name="on" value=(!is_on).to_string() />
                <button class="switch" role="switch" aria-checked=is_on.to_string()>
                    <span>{label}</span>
                </button>
            </form>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::sample;
    use model::{
        demo::{DemoFault, DemoState},
        snapshot::BatteryView,
    };

    fn demo() -> Overview {
        let fault = |name| DemoFault { name, sentence: "Sun & <moon>" };
        let demo = DemoState {
            pace: 0.0,
            catching_up: false,
            faults: vec!["second".to_owned()],
            control_api: String::new(),
            catalogue: ["first", "second"].map(fault).to_vec(),
        };
        Overview { demo: Some(demo), ..sample::overview(BatteryView::default(), Vec::new()) }
    }

    #[test]
    fn every_fault_has_a_switch_to_the_other_side_and_leads_back_to_itself() {
        let html = crate::faults_page(tell(&demo(), true, None).unwrap(), None);
        for (name, on, checked) in [("first", "true", "false"), ("second", "false", "true")] {
            let (_, row) = html.split_once(&format!("<li id=\"{name}\">")).unwrap();
            let (row, _) = row.split_once("</li>").unwrap();
            assert!(row.contains(&format!("action=\"/rpc/demo_fault#{name}\"")), "{row}");
            assert!(row.contains(&format!("name=\"fault\" value=\"{name}\"")), "{row}");
            assert!(row.contains(&format!("name=\"on\" value=\"{on}\"")), "{row}");
            assert!(row.contains(&format!("aria-checked=\"{checked}\"")), "{row}");
            assert!(row.contains("Sun &amp; &lt;moon"), "{row}");
        }
        assert!(html.contains("<p>Sun &amp; &lt;moon&gt;.</p>"), "what is wrong: {html}");
    }

    #[test]
    fn whoever_may_only_look_sees_what_is_wrong_and_has_nothing_to_press() {
        let html = crate::faults_page(tell(&demo(), false, None).unwrap(), None);
        assert!(html.contains("&lt;moon") && html.contains("/sign-in"), "{html}");
        assert!(!html.contains("<form"), "{html}");
    }

    #[test]
    fn a_refusal_is_told_and_a_real_house_has_no_such_page() {
        let html =
            crate::faults_page(tell(&demo(), true, Some("Nothing is called that.".into())).unwrap(), None);
        assert!(html.contains("class=\"refusal\">Nothing is called that.</p>"), "{html}");
        let real = sample::overview(BatteryView::default(), Vec::new());
        assert_eq!(tell(&real, true, None), None);
    }
}
