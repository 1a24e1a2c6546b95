//! What a benchmark is told on its command line.

/// The first argument that is a number, where there is one: how many rounds are run.
pub fn rounds(default: usize) -> usize {
    std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default)
}

/// The mode in which this binary was started by itself, and its arguments.
pub fn mode() -> Option<(String, Vec<String>)> {
    let mut arguments = std::env::args().skip(1).skip_while(|argument| argument != "--mode").skip(1);
    let mode = arguments.next()?;
    Some((mode, arguments.collect()))
}

/// What stands behind a name.
pub fn named(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
