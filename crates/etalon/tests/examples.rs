//! The examples of the library, as they stand.

#[expect(dead_code, reason = "its main only prints")]
#[path = "../examples/own_network.rs"]
mod own_network;
#[expect(dead_code, reason = "its main only prints")]
#[path = "../examples/own_training_loop.rs"]
mod own_training_loop;

#[test]
fn a_network_of_ones_own_is_measured_and_its_rate_found() {
    let (lambda, eta) = own_network::run().unwrap();
    assert!(lambda > 0.0 && lambda.is_finite(), "{lambda}");
    // Logistic loss trains some way above 2 / lambda, and not at any rate.
    assert!(eta > 0.1 / lambda && eta < 100.0 / lambda, "{eta} at lambda = {lambda}");
}

#[test]
fn a_training_loop_of_ones_own_trains_up_to_about_twice_the_lazy_limit() {
    let found = own_training_loop::run().unwrap();
    // Of variance 1, 128 numbers make a curvature of 2 +- 0.2: 2 / lambda is 1, 4 / lambda is 2.
    let [median, low, high] = [found.median, found.low, found.high].map(Option::unwrap);
    assert!(low > 1.0 && low < median && median < high && high < 3.0, "{median} ({low} to {high})");
}

#[test]
fn each_has_at_most_forty_lines_of_code() {
    for text in [include_str!("../examples/own_network.rs"), include_str!("../examples/own_training_loop.rs")]
    {
        let is_code = |line: &&str| !line.is_empty() && !line.trim_start().starts_with("//");
        let lines = text.lines().filter(is_code).count();
        assert!(lines <= 40, "{lines} lines");
    }
}
