//! WhatsMiner.
