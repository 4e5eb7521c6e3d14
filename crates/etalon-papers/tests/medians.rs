//! Whoever folds seeds folds them in the same way.

use etalon::figure::{Columns, curves};
use etalon::sweep::{Selection, Table, points};
use etalon_papers::Reading;

#[test]
fn plots_fits_and_claims_have_the_same_median() {
    let text = "trial,network.width,seed,eta_star\na,64,0,1\nb,64,1,4\nc,128,0,9\nd,128,1,4\n";
    let table = Table::parse(text).unwrap();
    let columns =
        Columns { x: "network.width".into(), y: vec!["eta_star".into()], by: Vec::new(), only: Vec::new() };
    let plotted: Vec<f64> =
        curves(&table, &columns).unwrap()[0].bands.iter().map(|band| band.median).collect();
    let selection = Selection { y: "eta_star".into(), x: vec!["network.width".into()], only: Vec::new() };
    let fitted: Vec<f64> = points(&table, &selection).unwrap().points.iter().map(|point| point.y).collect();
    let claimed = [[1.0, 4.0], [9.0, 4.0]].map(|seeds| Reading::median(&seeds).value.unwrap());
    assert_eq!(plotted, [2.0, 6.0]);
    assert_eq!((&plotted, &plotted[..]), (&fitted, &claimed[..]));
}
