//! Signatures against other programs' results, flips of single bytes, hostile texts.

use super::email;
use super::html;
use super::manifest;
use super::package::seal_files;
use super::placeholders::Values;
use super::*;
use crate::report::Value;

/// The vectors below: a statement, its encoding and both signatures of it, computed with Python's `cryptography`
/// 48.0.0 over OpenSSL (`Ed25519PrivateKey.from_private_bytes(bytes(range(32)))`, and `ec.derive_private_key` of the
/// bytes 1 to 32 with `ec.ECDSA(hashes.SHA256(), deterministic_signing=True)`).
const STATEMENT: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1"}"#;
const ENCODED: &[u8] =
    br#"DSSEv1 28 application/vnd.in-toto+json 43 {"_type":"https://in-toto.io/Statement/v1"}"#;
const ED25519: [&str; 3] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
     -----END PRIVATE KEY-----\n",
    "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5",
    "Fo6jOXP9gw1yxFFqcxT3OROGg9MHJ9G2Ps2yCG4lrdJS8Yli9xdH78rzsGRdX7vN0BvZnteNGPg9F79CG51UDQ==",
];
const ECDSA: [&str; 3] = [
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQIDBAUGBwgJCgsM\n\
     DQ4PEBESExQVFhcYGRobHB0eHyChRANCAARRXD1uueOWuQTT/sp/VP3NDMHpl783\n\
     XcpRWtCmw7QDX0U2vjpQ8xj7+aVHWQKiIVAr7w1X4IxTsswKVvF9n5NU\n-----END PRIVATE KEY-----\n",
    "f1d59449b727165de732bf283338122b99628a615918fedc67d878fffcf47da7",
    "MEQCIBpRgEkrhCnnqB1PgIX9QSV0UrIdsN5HOB11QSxA/GQ2AiB5Js7Ed2HhmqTNHNuz83RbF0UzO6kewxkwEalWAWUyYQ==",
];

fn key(vector: [&str; 3]) -> PrivateKey {
    PrivateKey::from_pem(vector[0]).unwrap()
}

#[test]
fn what_is_signed_is_type_and_payload_with_their_lengths() {
    assert_eq!(pre_authentication_encoding(PAYLOAD_TYPE, STATEMENT), ENCODED);
    // The example of the protocol's own document.
    assert_eq!(
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

#[test]
fn signatures_are_those_that_other_programs_make() {
    for vector in [ED25519, ECDSA] {
        let key = key(vector);
        assert_eq!(key.public().id(), vector[1]);
        let envelope = Envelope::sign(STATEMENT, &key).to_json();
        assert!(envelope.contains(&format!("\"sig\":\"{}\"", vector[2])), "{envelope}");
        let opened = Envelope::from_json(envelope.as_bytes()).unwrap().open(&key.public()).unwrap();
        assert_eq!(opened, STATEMENT);
        // The other key did not sign it.
        let other = PrivateKey::generate(key.public().kind()).unwrap().public();
        assert!(Envelope::from_json(envelope.as_bytes()).unwrap().open(&other).is_err());
    }
}

#[test]
fn a_key_survives_its_files_and_is_never_shown() {
    for kind in KeyType::ALL {
        let key = PrivateKey::generate(kind).unwrap();
        let (private, public) = (key.to_pem().unwrap(), key.public().to_pem().unwrap());
        assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8");
        assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n"), "SPKI");
        let again = PrivateKey::from_pem(&private).unwrap();
        assert_eq!(again.sign(b"m"), key.sign(b"m"));
        let read = PublicKey::from_pem(&public).unwrap();
        assert!(read.accepts(b"m", &key.sign(b"m")) && !read.accepts(b"n", &key.sign(b"m")));
        assert_eq!(read.kind(), kind);
        let secret = private.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(secret));
        let error = PublicKey::from_pem(&private).unwrap_err().to_string();
        assert!(error.contains("public key") && !error.contains(secret), "{error}");
    }
}

/// A small package, signed.
fn package() -> (Files, PrivateKey) {
    let key = key(ED25519);
    let files: Files =
        [("a.json", "{\"a\": 1}\n"), ("REPORT.md", "# Report\n\n1,234\n"), ("b.html", "<p>\n")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into();
    (seal_files(&files, &outcome(vec![]), &[], Some(&key)).unwrap(), key)
}

fn outcome(criteria: Vec<Criterion>) -> Outcome {
    Outcome::new(criteria, vec![], Some(1.0), 0.95)
}

#[test]
fn a_sealed_package_passes_with_the_right_key_and_no_other() {
    let (files, key) = package();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, [MANIFEST, "REPORT.md", "a.json", "b.html", SIGNATURE, PUBLIC_KEY]);
    let enclosed = check(&files, None);
    assert_eq!(enclosed.findings, []);
    assert_eq!(enclosed.signature, Signature::Enclosed(key.public().id()));
    let trusted = check(&files, Some(&key.public()));
    assert_eq!((trusted.findings, trusted.signature), (vec![], Signature::Trusted(key.public().id())));
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap().public();
    assert_eq!(check(&files, Some(&other)).signature, Signature::Invalid);
}

#[test]
fn a_flip_of_any_bit_of_any_file_is_found() {
    let (files, key) = package();
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = files.clone();
                flipped.get_mut(name).unwrap()[at] ^= 1 << bit;
                assert_ne!(check(&flipped, Some(&key.public())).findings, [], "{name} byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn a_flip_of_any_byte_is_found_without_a_key_too_and_names_the_file() {
    let (files, _) = package();
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut flipped = files.clone();
            flipped.get_mut(name).unwrap()[at] ^= 1;
            assert_ne!(check(&flipped, None).findings, [], "{name} byte {at}");
        }
    }
    let mut changed = files.clone();
    changed.get_mut("a.json").unwrap()[0] = b'[';
    changed.remove("b.html");
    changed.insert("more.txt".to_owned(), vec![]);
    let shown: Vec<String> = check(&changed, None).findings.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(shown[0].starts_with("changed  a.json: expected sha256 "), "{shown:?}");
    assert_eq!(shown[1..], ["missing  b.html", "extra    more.txt"]);
}

#[test]
fn a_signature_that_was_taken_away_is_missed() {
    let (mut files, key) = package();
    files.remove(SIGNATURE);
    assert_eq!(check(&files, None).findings, [Finding::Missing { name: SIGNATURE.to_owned() }]);
    // With its key gone as well, and a new manifest, only who expects a signature can tell.
    files.retain(|name, _| name != PUBLIC_KEY && name != MANIFEST);
    let unsigned = seal_files(&files, &outcome(vec![]), &[], None).unwrap();
    assert_eq!(check(&unsigned, None).signature, Signature::None);
    assert_ne!(check(&unsigned, Some(&key.public())).findings, []);
}

#[test]
fn an_archive_is_the_same_bytes_again_and_every_flip_is_found() {
    let (files, _) = package();
    let packed = pack(&files).unwrap();
    assert_eq!(packed, pack(&files).unwrap());
    assert_eq!(&packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255], "no time, no system in the header");
    assert_eq!(unpack(&packed).unwrap(), files);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(ARCHIVE);
    for at in 0..packed.len() {
        let mut flipped = packed.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(&path, &flipped).unwrap();
        let is_found = open(&path).map_or(true, |(files, findings)| {
            !findings.is_empty() || !check(&files, None).findings.is_empty()
        });
        assert!(is_found, "byte {at}");
    }
}

#[test]
fn an_archive_that_leads_elsewhere_is_refused() {
    let archive = |path: &str, kind: tar::EntryType| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &tar.into_inner().unwrap()).unwrap();
        unpack(&gzip.finish().unwrap()).map(|_| ()).map_err(|e| e.to_string())
    };
    let file = tar::EntryType::Regular;
    assert_eq!(archive("ga_certification_package/a", file), Ok(()));
    for path in ["../a", "/etc/a", "ga_certification_package/../a", "ga_certification_package/b/a", "other/a"]
    {
        let error = archive(path, file).unwrap_err();
        assert!(error.contains(path), "{error}");
    }
    assert!(archive("ga_certification_package/a", tar::EntryType::Symlink).is_err());
    assert!(unpack(b"not an archive").is_err());
    let mut longer = pack(&package().0).unwrap();
    longer.push(0);
    assert!(unpack(&longer).unwrap_err().to_string().contains("1 bytes more"));
}

#[test]
fn a_manifest_has_one_spelling() {
    let hash = digest(b"");
    assert!(manifest::parse(format!("{hash}  a\n{hash}  b\n").as_bytes()).is_ok());
    for wrong in [
        format!("{hash}  a"),
        format!("{hash} a\n"),
        format!("{hash}  b\n{hash}  a\n"),
        format!("{hash}  a\n{hash}  a\n"),
        format!("{}  a\n", hash.to_uppercase()),
        format!("{hash}  ../a\n"),
        format!("{hash}  a\r\n"),
        "\n".to_owned(),
    ] {
        let error = manifest::parse(wrong.as_bytes()).unwrap_err();
        assert!(error.contains("expected"), "{wrong:?}: {error}");
    }
}

fn criterion(name: &str, level: Level, verdict: Verdict) -> Criterion {
    Criterion {
        suite: "certification".into(),
        name: name.into(),
        area: "kpi".into(),
        title: name.into(),
        level,
        comparison: "<".into(),
        threshold: Value::Number(0.001),
        unit: "1".into(),
        observed: Value::Number(0.01),
        verdict,
        detail: "10 of 1000 requests failed".into(),
        sql: "select error_rate from kpi_summary".into(),
    }
}

#[test]
fn the_status_follows_from_required_criteria_and_coverage() {
    let status = |verdicts: &[(Level, Verdict)], coverage| {
        let criteria = verdicts.iter().map(|(level, verdict)| criterion("c", *level, *verdict)).collect();
        Outcome::new(criteria, vec![], coverage, 0.95).status
    };
    let pass = (Level::Required, Verdict::Pass);
    assert_eq!(status(&[pass], Some(1.0)), Status::Certified);
    assert_eq!(status(&[pass, (Level::Warning, Verdict::Fail)], Some(0.95)), Status::Certified);
    assert_eq!(status(&[pass, (Level::Required, Verdict::Fail)], Some(1.0)), Status::NotCertified);
    assert_eq!(status(&[pass, (Level::Required, Verdict::NoData)], Some(1.0)), Status::NotCertified);
    assert_eq!(status(&[pass], Some(0.949)), Status::Inconclusive);
    assert_eq!(status(&[pass], None), Status::Inconclusive);
    // What was seen to fail has failed, however little was seen.
    assert_eq!(status(&[(Level::Required, Verdict::Fail)], Some(0.1)), Status::NotCertified);
    assert_eq!(status(&[], Some(1.0)), Status::Inconclusive);
}

#[test]
fn hostile_text_adds_no_header_to_mail_and_no_markup_to_the_page() {
    let mut hostile = criterion("c", Level::Required, Verdict::Fail);
    hostile.title = "x\r\nBcc: all@example.com\u{1b}[2J".into();
    hostile.detail = "</td><script>alert(1)</script>\u{202e}".into();
    hostile.sql = "select '<img src=x onerror=alert(1)>'".into();
    let outcome = outcome(vec![hostile]);
    let mail = email::render("GA certification 2025-01-15", &outcome, &Values::new());
    assert_eq!(mail.lines().next(), Some("Subject: GA certification 2025-01-15: NOT CERTIFIED"));
    assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    assert!(!mail.chars().any(|c| c.is_control() && c != '\n'), "{mail:?}");
    let page = html::render("GA certification 2025-01-15", &outcome);
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    // Nothing is fetched from anywhere.
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("url("), "{page}");
}

#[test]
fn what_differs_is_named_with_its_line() {
    let files = |text: &str| Files::from([("r.md".to_owned(), text.as_bytes().to_vec())]);
    assert_eq!(differences(&files("a\nb\n"), &files("a\nb\n")), []);
    let shown = differences(&files("a\nb\n"), &files("a\nc\n"))[0].to_string();
    assert_eq!(shown, "changed  r.md: expected line 2 \"c\", got line 2 \"b\"");
    let shown = differences(&files("a\nb\n"), &Files::new())[0].to_string();
    assert_eq!(shown, "extra    r.md");
}
