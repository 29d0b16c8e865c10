//! EG4 portal.
