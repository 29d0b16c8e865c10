//! The program around the engine: what a person configures, asks and sees.
//!
//! * [`config`] reads and checks the configuration.
//! * [`assemble`] makes a site of it.
//! * [`demo`] is the site that nobody has to own: simulated devices behind real sockets.
//! * [`rest`] is the API.
//! * [`run`] puts it all together and takes it down again.
//! * [`check`] says whether a configuration would work, and with `--live` whether the devices do.

pub mod assemble;
pub mod check;
pub mod config;
pub mod demo;
pub mod rest;
pub mod run;
