//! `etalon man`.

use crate::Etalon;

#[test]
fn every_verb_has_a_manual_page() {
    let etalon = Etalon::new();
    let page = etalon.run(&["man", "--out", "man"]).printed();
    assert_eq!(etalon.read("man/etalon.1"), page);
    for part in [".TH etalon 1", "etalon\\-find(1)", "Exit codes:", "ETALON_DATA"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let map = etalon.run(&["man", "theory", "map"]).printed();
    assert_eq!(etalon.read("man/etalon-theory-map.1"), map);
    assert!(map.contains(".TH etalon-theory-map 1") && map.contains("\\-\\-width"), "{map}");
    let refused = etalon.run(&["man", "theory", "mpa"]).complaint();
    assert!(refused.contains("no verb `mpa` of theory; there is map"), "{refused}");
}
