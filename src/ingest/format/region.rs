//! Regions that stand in names: paths of files and Amazon resource names.

/// Directions and parts that names of cloud regions are made of.
const DIRECTIONS: [&str; 9] =
    ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];
/// Where AWS regions begin, each with a direction and a number behind it.
const AWS: [&str; 17] = [
    "us", "us-gov", "us-iso", "us-isob", "us-isof", "eu", "eu-isoe", "eusc-de", "ap", "sa", "ca", "me", "af",
    "il", "cn", "mx", "us-isoa",
];
/// Where Google Cloud regions begin, each with a direction and a number.
const GOOGLE: [&str; 9] =
    ["us", "europe", "asia", "northamerica", "southamerica", "australia", "africa", "me", "eu"];

/// The region in an ARN (`arn:aws:logs:REGION:…`), if it names one.
pub(crate) fn of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(2).filter(|r| !r.is_empty())
}

/// The region that a path names: a part `region=NAME`, else the last word that is the name of a region of AWS or
/// Google Cloud (`AWSLogs/123/CloudTrail/eu-west-1/…`, `…_us-east-1_2023….json`).
pub(crate) fn of_path(path: &str) -> Option<String> {
    let parts = || path.split(['/', '\\']);
    let named = parts().rev().find_map(|part| part.strip_prefix("region="));
    if let Some(region) = named.filter(|r| super::convert::is_region(r)) {
        return Some(region.to_owned());
    }
    let word_ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    parts().rev().flat_map(|part| part.split(word_ends)).find_map(in_word)
}

/// The region in a word such as `eu-west-1` or `prod-eu-west-1-api`: a run of its dashed parts.
fn in_word(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('-').collect();
    (0..parts.len()).find_map(|from| {
        (2..=4)
            .filter_map(|length| parts.get(from..from + length))
            .map(|run| run.join("-"))
            .find(|r| is_region(r))
    })
}

fn is_region(name: &str) -> bool {
    let digits = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    let Some((before, last)) = name.rsplit_once('-') else { return false };
    // AWS: the number is a part of its own.
    if digits(last) {
        return before
            .rsplit_once('-')
            .is_some_and(|(place, direction)| AWS.contains(&place) && DIRECTIONS.contains(&direction));
    }
    // Google: the number ends the direction.
    let direction = last.trim_end_matches(|c: char| c.is_ascii_digit());
    digits(&last[direction.len()..]) && GOOGLE.contains(&before) && DIRECTIONS.contains(&direction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_regions_in_several_ways() {
        for (path, expected) in [
            ("/logs/AWSLogs/1/CloudTrail/eu-west-3/2023/a.json.gz", Some("eu-west-3")),
            ("218_CloudTrail_us-east-1_20230710T1145Z_x.json", Some("us-east-1")),
            ("/x/us-gov-west-1/a.log", Some("us-gov-west-1")),
            ("/data/prod-ap-southeast-2-api.log", Some("ap-southeast-2")),
            ("gs/us-central1/a.json", Some("us-central1")),
            ("/x/europe-west10.json", Some("europe-west10")),
            ("/lake/region=lab/us-east-1.json", Some("lab")),
            ("/lake/region=/a.json", None),
            ("/log-file1/my-app-1/server-east-1.log", None),
            ("/us-east/a.json", None),
            ("a.json", None),
        ] {
            assert_eq!(of_path(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn arns_name_their_region() {
        assert_eq!(of_arn("arn:aws:logs:us-west-2:1:log-group:/a"), Some("us-west-2"));
        assert_eq!(of_arn("arn:aws:iam::1:role/x"), None);
        assert_eq!(of_arn("/aws/lambda/x"), None);
    }
}
