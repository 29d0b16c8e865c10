//! What an earlier controller of a miner left, taken over before this one's first start.

use crate::recorder::AUTO_CONTROL;
use control::{Stance, State, StopReason};
use model::{MinerId, Now};
use store::{Store, StoreError};

/// What an earlier controller remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inherited {
    /// Whether the battery drove the miner, where that is known.
    pub auto_control: Option<bool>,
    /// Its battery had fallen too low, and the miner was to stay off until that is over.
    pub emergency_latched: bool,
}

/// Keeps for the first start of a miner what is inherited, as far as nothing is known of it yet. Tells what was kept:
/// what this controller knows by itself stays.
///
/// # Errors
/// If the database doesn't take or tell it.
pub async fn inherit(
    store: &Store,
    miner: &MinerId,
    inherited: Inherited,
    now: Now,
) -> Result<Inherited, StoreError> {
    let mut kept = Inherited::default();
    let mut choices = store.meta(&AUTO_CONTROL).await?.unwrap_or_default();
    if let Some(enabled) = inherited.auto_control
        && !choices.contains_key(miner)
    {
        choices.insert(miner.clone(), enabled);
        store.put_meta(&AUTO_CONTROL, &choices).await?;
        kept.auto_control = Some(enabled);
    }
    let is_known = store.load_states().await?.iter().any(|saved| saved.miner == *miner);
    if inherited.emergency_latched && !is_known {
        let state = State {
            emergency_latched: true,
            stance: Stance::Stopped { by: StopReason::Emergency, since: now.mono },
            ..State::new(now.mono)
        };
        let json = serde_json::to_string(&state).map_err(|error| StoreError::Unfit {
            doing: "saving the state of the control law",
            why: error.to_string(),
        })?;
        store.save_state(miner, &json, now).await?;
        kept.emergency_latched = true;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{MonoTime, UtcMillis};

    const NOW: Now = Now { mono: MonoTime(0), utc: UtcMillis(1_780_000_000_000) };

    fn garage() -> MinerId {
        MinerId("garage".to_owned())
    }

    #[tokio::test]
    async fn a_latch_is_taken_over_once_and_never_over_what_is_known() {
        let store = Store::in_memory().await.unwrap();
        let left = Inherited { auto_control: Some(false), emergency_latched: true };
        assert_eq!(inherit(&store, &garage(), left, NOW).await.unwrap(), left);
        let saved = store.load_states().await.unwrap();
        let state: State = serde_json::from_str(&saved[0].json).unwrap();
        assert!(state.emergency_latched);
        assert_eq!(state.stopped_by(), Some(StopReason::Emergency));
        assert_eq!(store.meta(&AUTO_CONTROL).await.unwrap().unwrap().get(&garage()), Some(&false));

        let other = Inherited { auto_control: Some(true), emergency_latched: true };
        assert_eq!(inherit(&store, &garage(), other, NOW).await.unwrap(), Inherited::default());
        assert_eq!(store.load_states().await.unwrap(), saved);
    }

    #[tokio::test]
    async fn nothing_is_made_of_nothing() {
        let store = Store::in_memory().await.unwrap();
        assert_eq!(
            inherit(&store, &garage(), Inherited::default(), NOW).await.unwrap(),
            Inherited::default()
        );
        assert!(store.load_states().await.unwrap().is_empty());
        assert_eq!(store.meta(&AUTO_CONTROL).await.unwrap(), None);
    }
}
