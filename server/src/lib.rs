//! The program around the engine: what a person configures, asks and sees.
//!
//! * [`config`] reads and checks the configuration.
//! * [`assemble`] makes a site of it, [`settings`] lets a person change it while it runs, [`current`] says what holds.
//! * [`demo`] is the site that nobody has to own: simulated devices behind real sockets.
//! * [`access`] knows who may change something.
//! * [`rest`] is the API, [`events`] its news, `metrics` what collectors read, [`page`] what people look at; [`web`] puts
//!   them behind one gate.
//! * [`run`] puts it all together and takes it down again.
//! * [`notify`] tells people of alerts who don't look.
//! * `csv_log` writes the daily CSV files.
//! * [`keeping`] makes backups and takes them up, and looks after the disk.
//! * [`import`] takes over what the earlier program left.
//! * [`check`] says whether a configuration would work, and with `--live` whether the devices do.

#![recursion_limit = "512"] // the page is one deep type

pub mod access;
pub mod assemble;
pub mod check;
pub mod config;
mod csv_log;
pub mod current;
pub mod demo;
pub mod events;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod headers;
pub mod import;
pub mod keeping;
mod listen;
mod metrics;
pub mod network;
pub mod notify;
pub mod outlook;
pub mod page;
pub mod rest;
pub mod run;
pub mod settings;
pub mod web;
