//! Evaluations of the platform's agents, evenly spread with some jitter.

use super::json::{self, Clock, field, integer_field, number_field};
use super::options::{Checked, MINUTE};
use super::random::{Random, Spread, Stream, unit_at};
use super::requests::{Buffer, Shared};
use super::traffic::Slice;
use super::world::{AGENT_RUNNER, REGIONS, SERVICES};

/// One algorithm: usual reward, its spread over episodes, steps of an episode.
struct Agent {
    kind: &'static str,
    environment: &'static str,
    reward: f64,
    spread: f64,
    success: f64,
    episode_steps: f64,
}

const AGENTS: [Agent; 4] = [
    Agent {
        kind: "dqn",
        environment: "CartPole-v1",
        reward: 195.0,
        spread: 22.0,
        success: 0.94,
        episode_steps: 200.0,
    },
    Agent {
        kind: "a2c",
        environment: "LunarLander-v3",
        reward: 212.0,
        spread: 30.0,
        success: 0.91,
        episode_steps: 320.0,
    },
    Agent {
        kind: "ppo",
        environment: "BipedalWalker-v3",
        reward: 241.0,
        spread: 26.0,
        success: 0.95,
        episode_steps: 900.0,
    },
    Agent {
        kind: "ddpg",
        environment: "Pendulum-v1",
        reward: 182.0,
        spread: 19.0,
        success: 0.93,
        episode_steps: 200.0,
    },
];

/// About one evaluation for so many log lines, but never fewer than one in five minutes per agent and region.
const LINES_PER_EVALUATION: f64 = 400.0;
const LONGEST_GAP: f64 = 5.0 * MINUTE as f64;
const EPISODES: u64 = 20;
/// Share of evaluations that fail on a healthy day; the platform promises less than 1 %.
const FAILURES: f64 = 0.003;

/// Microseconds between two evaluations of one agent in a region.
fn gap(checked: &Checked, region: usize) -> f64 {
    let shares: f64 = REGIONS[..checked.regions].iter().map(|r| r.share).sum();
    let count =
        checked.rows as f64 / LINES_PER_EVALUATION * REGIONS[region].share / shares / AGENTS.len() as f64;
    (checked.length as f64 / count.max(1.0)).min(LONGEST_GAP)
}

/// Evaluations that finish within a slice, by time.
pub(super) fn evaluate(shared: &Shared, slice: &Slice, clock: &mut Clock, out: &mut Buffer) {
    let checked = &shared.checked;
    let minutes = slice.minutes();
    let from = (checked.minute_start(minutes.start) - checked.start) as f64;
    let to = (checked.minute_start(minutes.end) - checked.start) as f64;
    let mut due = Vec::new();
    for region in 0..checked.regions {
        let gap = gap(checked, region);
        for agent in 0..AGENTS.len() {
            let series = (region * AGENTS.len() + agent) as u64;
            let instant = |k: u64| (k as f64 + unit_at(checked.seed, Stream::Evaluations, series, k)) * gap;
            // One more on either side, because of the jitter.
            let first = ((from / gap) as u64).saturating_sub(1);
            let last = (to / gap) as u64 + 1;
            due.extend(
                (first..=last)
                    .map(|k| (instant(k), region, agent, k))
                    .filter(|(at, ..)| (from..to).contains(at)),
            );
        }
    }
    due.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    for (at, region, agent, k) in due {
        let series = (region * AGENTS.len() + agent) as u64;
        let mut random = Random::new(checked.seed ^ (series << 48), Stream::Evaluations, k);
        write(shared, (region, agent), checked.start + at as i64, &mut random, clock, out);
    }
}

fn write(
    shared: &Shared,
    (region, agent): (usize, usize),
    at: i64,
    random: &mut Random,
    clock: &mut Clock,
    buffer: &mut Buffer,
) {
    let checked = &shared.checked;
    let a = &AGENTS[agent];
    let minute = ((at - checked.start) / MINUTE) as usize;
    let e = shared.plan.effects(minute, region, AGENT_RUNNER);
    let z = |random: &mut Random| shared.normal.normal(random.bits()).clamp(-3.0, 3.0);
    let noise = if checked.quiet { 0.3 } else { 1.0 };
    let failed = random.happens(FAILURES + e.evaluation_failures + 0.3 * (e.errors - 0.000_2).max(0.0));
    let status = if !failed {
        "success"
    } else if random.happens(0.3) {
        "timeout"
    } else {
        "failure"
    };
    let mean = a.reward * e.reward * (1.0 + 0.025 * noise * z(random));
    let lost = 1.0 - e.reward;
    let success = (a.success * (1.0 - 0.7 * lost) + 0.015 * noise * z(random)).clamp(0.0, 1.0);
    let stability = (0.92 - 0.6 * lost + 0.012 * noise * z(random)).clamp(0.0, 1.0);
    let conflict = (0.08 + 0.7 * lost + 0.010 * noise * z(random)).clamp(0.0, 1.0);
    let slower = 0.7 + 0.3 * e.work.min(4.0);
    let duration = 42_000.0 * shared.normal.factor(Spread::Medium, random.bits()) * slower;
    let wait = 1_800.0 * shared.normal.factor(Spread::Wide, random.bits()) * e.queue;
    let out = &mut buffer.bytes;
    out.extend_from_slice(b"{\"timestamp\":\"");
    clock.instant(out, at);
    out.push(b'"');
    field(out, "region", REGIONS[region].name);
    field(out, "service", SERVICES[AGENT_RUNNER].name);
    out.extend_from_slice(b",\"evaluation_id\":\"eval-");
    json::hex(out, random.bits());
    out.push(b'"');
    field(out, "agent_type", a.kind);
    field(out, "agent_id", &format!("{}-{}-{:02}", a.kind, REGIONS[region].code, random.below(6)));
    field(out, "environment", a.environment);
    out.extend_from_slice(shared.texts.version(e.version));
    field(out, "status", status);
    if status == "success" {
        let steps = a.episode_steps * EPISODES as f64 * random.between(0.9, 1.1);
        number_field(out, "reward_mean", mean);
        number_field(out, "reward_std", a.spread * random.between(0.85, 1.15) * (1.0 + lost));
        number_field(out, "success_rate", success);
        integer_field(out, "episodes", EPISODES);
        integer_field(out, "steps", steps as u64);
    }
    number_field(out, "duration_ms", if status == "timeout" { 600_000.0 } else { duration });
    number_field(out, "queue_wait_ms", wait);
    number_field(out, "nash_stability", stability);
    number_field(out, "nash_conflict", conflict);
    if failed {
        let kind = if status == "timeout" { "EvaluationTimeout" } else { "EpisodeDiverged" };
        field(out, "error_type", kind);
    }
    out.extend_from_slice(b"}\n");
    buffer.rows += 1;
}
