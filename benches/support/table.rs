//! What is printed: one line for each comparison, `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target`.

/// The figures of one side of a comparison, one for each round.
pub type Rounds = Vec<f64>;

/// The median, which a few disturbed rounds do not move.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// Prints a line. The ratio is the median of the rounds' own ratios, so that what slows a whole round cancels out.
pub fn line(name: &str, ours: &Rounds, peer: &Rounds, target: Option<f64>) {
    let ratios: Rounds = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
    let spread = |figures: &Rounds| figures.iter().fold((f64::MAX, 0f64), |(low, high), x| (low.min(*x), high.max(*x)));
    let target = target.map_or_else(|| "-".to_owned(), |target| format!("{target:.2}"));
    let ratio = median(&ratios);
    println!("{name}\t{:.4}\t{:.4}\t{ratio:.3}\t{target}", median(ours), median(peer));
    let (low, high) = spread(&ratios);
    eprintln!("# {name}: ratio {ratio:.3} [{low:.3}-{high:.3}] over {} rounds", ratios.len());
}

/// Says on what machine this ran, and when.
pub fn header(what: &str, rounds: usize) {
    let first = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let seconds = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    eprintln!("# {what}: {rounds} rounds, {seconds} seconds since 1970");
    eprintln!("# {processors} processors, {}, Linux {}", first("/proc/cpuinfo", "model name"), kernel.trim());
    eprintln!("# name\tours\tpeer\tratio (median of paired rounds)\ttarget");
}
