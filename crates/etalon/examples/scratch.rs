//! scratch
use etalon::spec::Spec;
fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let spec = match Spec::load(None, &args) {
        Ok(s) => s,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2)
        }
    };
    let t = std::time::Instant::now();
    match std::env::args().nth(1).as_deref() {
        Some("measure") => println!(
            "{}",
            serde_json::to_string_pretty(&etalon::curvature::measure(&spec, &Default::default()).unwrap())
                .unwrap()
        ),
        _ => {
            let f = etalon::search::find(&spec, &|p| {
                eprintln!("{:?} {:.4} {:?} {}", p.seed, p.eta, p.verdict, p.steps);
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
            println!("{}", serde_json::to_string_pretty(&f).unwrap());
        }
    }
    eprintln!("{:?}", t.elapsed());
}
