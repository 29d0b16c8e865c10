//! Where the server functions are: what a form of the page calls.

/// Switches a miner off.
pub(crate) const POWER_OFF: &str = "/rpc/power_off";
/// Switches a miner on.
pub(crate) const POWER_ON: &str = "/rpc/power_on";
/// Lets the battery drive a miner, or nobody.
pub(crate) const AUTO_CONTROL: &str = "/rpc/auto_control";
/// Holds a power for a while.
pub(crate) const MANUAL_POWER: &str = "/rpc/manual_power";
/// Signs in anew at the battery's source.
pub(crate) const REFRESH_SESSION: &str = "/rpc/refresh_session";
/// Dismisses the alerts that a person has read.
pub(crate) const CLEAR_ALERTS: &str = "/rpc/clear_alerts";
/// The charts over a range.
#[cfg(any(target_arch = "wasm32", test))]
pub(crate) const CHART: &str = "/rpc/chart";
/// A part of the charts, in more points.
#[cfg(any(target_arch = "wasm32", test))]
pub(crate) const CHART_PART: &str = "/rpc/chart_part";
/// Sets the pace of the demo's time.
pub(crate) const DEMO_PACE: &str = "/rpc/demo_pace";
/// Lives through some time of the demo.
pub(crate) const DEMO_JUMP: &str = "/rpc/demo_jump";
/// Sets the charge of the demo's battery.
pub(crate) const DEMO_CHARGE: &str = "/rpc/demo_charge";
/// Switches a fault of the demo on or off.
pub(crate) const DEMO_FAULT: &str = "/rpc/demo_fault";
/// Nothing is wrong with the demo any more.
pub(crate) const DEMO_HEAL: &str = "/rpc/demo_heal";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls;
    use leptos::server_fn::ServerFn;

    #[test]
    fn every_form_calls_what_is_there() {
        assert_eq!(POWER_OFF, calls::PowerOff::PATH);
        assert_eq!(POWER_ON, calls::PowerOn::PATH);
        assert_eq!(AUTO_CONTROL, calls::AutoControl::PATH);
        assert_eq!(MANUAL_POWER, calls::ManualPower::PATH);
        assert_eq!(REFRESH_SESSION, calls::RefreshSession::PATH);
        assert_eq!(CLEAR_ALERTS, calls::ClearAlerts::PATH);
        assert_eq!(CHART, calls::DrawChart::PATH);
        assert_eq!(CHART_PART, calls::DrawChartPart::PATH);
        assert_eq!(DEMO_PACE, calls::DemoPace::PATH);
        assert_eq!(DEMO_JUMP, calls::DemoJump::PATH);
        assert_eq!(DEMO_CHARGE, calls::DemoCharge::PATH);
        assert_eq!(DEMO_FAULT, calls::DemoFault::PATH);
        assert_eq!(DEMO_HEAL, calls::DemoHeal::PATH);
    }
}
