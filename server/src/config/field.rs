//! How a value of the file becomes a field of a configuration's type.

use super::{BaseUrl, BatteryKind, Host, MailSecurity, MinerKind, ServiceUrl, setting::Value};
use chrono::NaiveTime;
use chrono_tz::Tz;
use devices::Secret;
use model::{MinerId, Soc, Watts};
use std::{net::IpAddr, time::Duration};

/// A type that a setting is read into.
pub(super) trait Field: Sized {
    /// The field for this value, or for none. `None` if it can't be without one, or not with this one.
    fn from_value(value: Option<Value>) -> Option<Self>;
}

macro_rules! fields {
    ($($type:ty: $value:pat => $field:expr;)+) => {
        $(
            impl Field for $type {
                fn from_value(value: Option<Value>) -> Option<Self> {
                    match value? {
                        $value => $field,
                        _ => None,
                    }
                }
            }

            impl Field for Option<$type> {
                fn from_value(value: Option<Value>) -> Option<Self> {
                    match value {
                        None => Some(None),
                        value => <$type>::from_value(value).map(Some),
                    }
                }
            }
        )+
    };
}

fields! {
    bool: Value::Flag(flag) => Some(flag);
    u8: Value::Whole(number) => u8::try_from(number).ok();
    u16: Value::Whole(number) => u16::try_from(number).ok();
    u32: Value::Whole(number) => u32::try_from(number).ok();
    Watts: Value::Whole(watts) => u32::try_from(watts).ok().map(Self::whole);
    f64: Value::Number(number) => Some(number);
    Soc: Value::Number(percent) => Self::new(percent);
    Duration: Value::Span(span) => Some(span);
    String: Value::Text(text) => Some(text);
    Secret: Value::Text(text) => Some(Self::new(text));
    MinerId: Value::Text(text) => Some(Self(text));
    BatteryKind: Value::Text(text) => (text == Self::EG4_PORTAL).then_some(Self::Eg4Portal);
    MinerKind: Value::Text(text) => match text.as_str() {
        Self::WHATSMINER => Some(Self::WhatsMiner),
        Self::AXEOS => Some(Self::AxeOs),
        _ => None,
    };
    MailSecurity: Value::Text(text) => match text.as_str() {
        Self::STARTTLS => Some(Self::StartTls),
        Self::TLS => Some(Self::Tls),
        Self::NONE => Some(Self::None),
        _ => None,
    };
    Host: Value::Host(host) => Some(host);
    BaseUrl: Value::BaseUrl(url) => Some(url);
    ServiceUrl: Value::ServiceUrl(url) => Some(url);
    NaiveTime: Value::TimeOfDay(time) => Some(time);
    IpAddr: Value::Address(address) => Some(address);
    Tz: Value::Zone(zone) => Some(zone);
}

impl Field for Vec<String> {
    /// None is an empty list.
    fn from_value(value: Option<Value>) -> Option<Self> {
        match value {
            None => Some(Self::new()),
            Some(Value::Words(words)) => Some(words),
            Some(_) => None,
        }
    }
}
