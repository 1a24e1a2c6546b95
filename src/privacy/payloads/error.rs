//! Why a folder cannot hold payloads.

/// What is wrong with the folder, and what would be right. Says nothing of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FolderProblem {
    #[cfg(unix)]
    #[error("the folder is not there")]
    Missing,
    #[cfg(unix)]
    #[error("the folder cannot be made: make it, with mode 0700")]
    Make,
    #[cfg(unix)]
    #[error("a link, or no folder: name the folder itself")]
    Link,
    #[cfg(unix)]
    #[error("the folder cannot be opened, or not written into: make it this user's, with mode 0700")]
    Open,
    #[cfg(unix)]
    #[error("the folder is not this user's alone: make it this user's, with mode 0700")]
    Owner,
    #[cfg(not(unix))]
    #[error("there is no payload store on this operating system")]
    Platform,
}
