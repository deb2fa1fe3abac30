//! Links and files, with real keys and everything between signer and storage.

mod links;
mod storage;
mod world;
