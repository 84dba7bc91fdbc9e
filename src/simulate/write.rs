//! Log lines and spans as JSON: fragments spelled once, digits per row.

use super::failure::{FAILURES, FailureId, NONE};
use super::json::{self, Clock, field};
use super::plan::{Plan, hosts};
use super::world::{REGIONS, Route, SERVICE_COUNT, SERVICES, Step};

/// A finished request, as its log line tells it. Times in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) region: u8,
    pub(super) service: u8,
    pub(super) route: u8,
    pub(super) host: u8,
    pub(super) failure: FailureId,
    pub(super) retries: u8,
    pub(super) timeout: bool,
    pub(super) version: u16,
    /// End, after the start of the trace.
    pub(super) end: u32,
    pub(super) duration: u32,
    pub(super) queue: u32,
    pub(super) bytes: u32,
    pub(super) span: u64,
    /// 0 for a request from outside.
    pub(super) parent: u64,
}

/// What a span is about.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Server,
    Internal,
    /// The step of the route that the query belongs to, or none for the query after a cache miss.
    Database(Option<u8>),
    Cache,
    External,
    Call {
        service: u8,
        route: u8,
        region: u8,
    },
}

/// A span. Times in microseconds after the start of the trace.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) region: u8,
    pub(super) service: u8,
    pub(super) route: u8,
    pub(super) host: u8,
    pub(super) failure: FailureId,
    pub(super) version: u16,
    pub(super) work: Work,
    pub(super) start: u32,
    pub(super) duration: u32,
    pub(super) span: u64,
    pub(super) parent: u64,
}

/// What all rows of one trace share.
#[derive(Clone, Copy)]
pub(super) struct Trace {
    /// Start of the root, UTC microseconds.
    pub(super) start: i64,
    pub(super) id: (u64, u64),
    pub(super) request: u64,
    pub(super) user: u32,
}

/// One route in words.
struct RouteText {
    /// `,"message":"POST /v1/jobs/` up to the filled-in identifier, which follows when `has_id`.
    message: Vec<u8>,
    has_id: bool,
    /// Per failure: the rest of the path, the status and ` in `.
    message_end: Vec<Vec<u8>>,
    /// Per failure: method, route, status, error.
    outcome: Vec<Vec<u8>>,
    /// Per failure: method, route, status for spans.
    span_outcome: Vec<Vec<u8>>,
    server: Vec<u8>,
    internal: Vec<u8>,
}

/// Everything that is spelled once.
pub(super) struct Texts {
    /// Per region, service and host.
    places: Vec<Vec<u8>>,
    /// Per service, from where its routes start in `routes`.
    first_route: [usize; SERVICE_COUNT],
    routes: Vec<RouteText>,
    levels: Vec<&'static [u8]>,
    stacks: Vec<Vec<u8>>,
    errors: Vec<Vec<u8>>,
    versions: Vec<Vec<u8>>,
}

/// The most hosts that a service has in a region.
const MAX_HOSTS: usize = 4;

/// The name of one instance.
pub(super) fn host_name(region: usize, service: usize, host: usize) -> String {
    format!("{}-{}-{host}", SERVICES[service].name, REGIONS[region].code)
}

fn fragment(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// HTTP status of a route's outcome.
fn status(route: &Route, failure: usize) -> u64 {
    match (failure, route.method) {
        (0, "POST") => 201,
        _ => u64::from(FAILURES[failure].status),
    }
}

impl RouteText {
    fn new(route: &Route) -> Self {
        let (head, tail) = match route.path.split_once("{id}") {
            Some((head, tail)) => (head, tail),
            None => (route.path, ""),
        };
        let request = |failure: usize, out: &mut Vec<u8>| {
            field(out, "method", route.method);
            field(out, "route", route.path);
            json::integer_field(out, "status_code", status(route, failure));
        };
        let per_failure = |write: &dyn Fn(usize, &mut Vec<u8>)| {
            (0..FAILURES.len()).map(|f| fragment(|o| write(f, o))).collect()
        };
        RouteText {
            message: format!(",\"message\":\"{} {head}", route.method).into_bytes(),
            has_id: route.path.contains("{id}"),
            message_end: per_failure(&|f, o| {
                o.extend_from_slice(format!("{tail} {} in ", status(route, f)).as_bytes());
            }),
            outcome: per_failure(&|f, o| {
                request(f, o);
                if f != usize::from(NONE) {
                    field(o, "error", FAILURES[f].error);
                    field(o, "error_type", FAILURES[f].error_type);
                }
            }),
            span_outcome: per_failure(&|f, o| request(f, o)),
            server: fragment(|o| {
                field(o, "name", &format!("{} {}", route.method, route.path));
                field(o, "kind", "server");
            }),
            internal: fragment(|o| {
                field(o, "name", route.operation);
                field(o, "kind", "internal");
            }),
        }
    }
}

impl Texts {
    pub(super) fn new(plan: &Plan, regions: usize) -> Self {
        let mut places = Vec::new();
        for (region, r) in REGIONS.iter().enumerate().take(regions) {
            for (service, s) in SERVICES.iter().enumerate() {
                for host in 0..MAX_HOSTS {
                    places.push(fragment(|o| {
                        field(o, "region", r.name);
                        field(o, "service", s.name);
                        field(o, "host", &host_name(region, service, host % hosts(region)));
                        field(o, "environment", "production");
                    }));
                }
            }
        }
        let mut first_route = [0; SERVICE_COUNT];
        let mut routes = Vec::new();
        for (service, s) in SERVICES.iter().enumerate() {
            first_route[service] = routes.len();
            routes.extend(s.routes.iter().map(RouteText::new));
        }
        let level = |f: &super::failure::Failure| -> &'static [u8] {
            match f.status {
                ..400 => b",\"level\":\"INFO\"",
                400..500 => b",\"level\":\"WARN\"",
                _ => b",\"level\":\"ERROR\"",
            }
        };
        let stack = |f: &super::failure::Failure| {
            fragment(|o| f.stack.into_iter().for_each(|s| field(o, "stack_trace", s)))
        };
        let error = |f: &super::failure::Failure| {
            fragment(|o| {
                if f.status < 500 {
                    o.extend_from_slice(b",\"status\":\"ok\"");
                } else {
                    field(o, "status", "error");
                    field(o, "status_message", f.error);
                    field(o, "error_type", f.error_type);
                }
            })
        };
        Texts {
            places,
            first_route,
            routes,
            levels: FAILURES.iter().map(level).collect(),
            stacks: FAILURES.iter().map(stack).collect(),
            errors: FAILURES.iter().map(error).collect(),
            versions: plan.version_names.iter().map(|v| fragment(|o| field(o, "version", v))).collect(),
        }
    }

    #[inline]
    fn route(&self, service: u8, route: u8) -> &RouteText {
        &self.routes[self.first_route[usize::from(service)] + usize::from(route)]
    }

    /// `,"region":…,"service":…,"host":…,"environment":…`.
    #[inline]
    pub(super) fn place(&self, region: u8, service: u8, host: u8) -> &[u8] {
        &self.places
            [(usize::from(region) * SERVICE_COUNT + usize::from(service)) * MAX_HOSTS + usize::from(host)]
    }

    /// `,"version":…`.
    pub(super) fn version(&self, version: u16) -> &[u8] {
        &self.versions[usize::from(version)]
    }

    /// One log line of a request.
    pub(super) fn line(
        &self,
        out: &mut Vec<u8>,
        clock: &mut Clock,
        line: &Line,
        trace: &Trace,
        with_stack: bool,
    ) {
        let route = self.route(line.service, line.route);
        let failure = usize::from(line.failure);
        out.reserve(1_024);
        out.extend_from_slice(b"{\"timestamp\":\"");
        clock.instant(out, trace.start + i64::from(line.end));
        out.push(b'"');
        out.extend_from_slice(self.place(line.region, line.service, line.host));
        // A request that only got through on a second try, or late, is worth a warning.
        let strained = line.failure == NONE && (line.timeout || line.retries > 0);
        out.extend_from_slice(if strained { b",\"level\":\"WARN\"" } else { self.levels[failure] });
        out.extend_from_slice(&route.message);
        if route.has_id {
            json::integer(out, trace.request >> 44);
        }
        out.extend_from_slice(&route.message_end[failure]);
        json::integer(out, u64::from(line.duration / 1_000));
        out.extend_from_slice(b" ms\",\"trace_id\":\"");
        json::hex(out, trace.id.0);
        json::hex(out, trace.id.1);
        out.extend_from_slice(b"\",\"span_id\":\"");
        json::hex(out, line.span);
        if line.parent != 0 {
            out.extend_from_slice(b"\",\"parent_span_id\":\"");
            json::hex(out, line.parent);
        }
        out.push(b'"');
        out.extend_from_slice(&route.outcome[failure]);
        out.extend_from_slice(b",\"duration_ms\":");
        json::millis(out, u64::from(line.duration));
        out.extend_from_slice(b",\"queue_wait_ms\":");
        json::millis(out, u64::from(line.queue));
        out.extend_from_slice(b",\"bytes_sent\":");
        json::integer(out, u64::from(line.bytes));
        out.extend_from_slice(b",\"retry_count\":");
        json::integer(out, u64::from(line.retries));
        out.extend_from_slice(if line.timeout {
            b",\"timeout\":true,\"request_id\":\"" as &[u8]
        } else {
            b",\"timeout\":false,\"request_id\":\""
        });
        json::hex(out, trace.request);
        out.extend_from_slice(b"\",\"user_id\":\"u-");
        json::integer(out, u64::from(trace.user));
        out.push(b'"');
        out.extend_from_slice(self.version(line.version));
        if with_stack {
            out.extend_from_slice(&self.stacks[failure]);
        }
        out.extend_from_slice(b"}\n");
    }

    /// One span.
    pub(super) fn span(&self, out: &mut Vec<u8>, clock: &mut Clock, span: &Span, trace: &Trace) {
        let route = self.route(span.service, span.route);
        let failure = usize::from(span.failure);
        out.extend_from_slice(b"{\"timestamp\":\"");
        clock.instant(out, trace.start + i64::from(span.start));
        out.push(b'"');
        out.extend_from_slice(self.place(span.region, span.service, span.host));
        out.extend_from_slice(b",\"trace_id\":\"");
        json::hex(out, trace.id.0);
        json::hex(out, trace.id.1);
        out.extend_from_slice(b"\",\"span_id\":\"");
        json::hex(out, span.span);
        if span.parent != 0 {
            out.extend_from_slice(b"\",\"parent_span_id\":\"");
            json::hex(out, span.parent);
        }
        out.extend_from_slice(b"\",\"duration_ms\":");
        json::millis(out, u64::from(span.duration));
        match span.work {
            Work::Server => {
                out.extend_from_slice(&route.server);
                out.extend_from_slice(&route.span_outcome[failure]);
            }
            Work::Internal => out.extend_from_slice(&route.internal),
            Work::Database(step) => {
                let r = &SERVICES[usize::from(span.service)].routes[usize::from(span.route)];
                let statement = match step.map(|s| &r.steps[usize::from(s)]) {
                    Some(Step::Query { statement, .. }) => statement,
                    _ => "select after cache miss",
                };
                field(out, "name", statement);
                out.extend_from_slice(
                    b",\"kind\":\"client\",\"peer_service\":\"postgresql\",\"db.system\":\"postgresql\"",
                );
            }
            Work::Cache => out.extend_from_slice(
                b",\"name\":\"GET\",\"kind\":\"client\",\"peer_service\":\"redis\",\"db.system\":\"redis\"",
            ),
            Work::External => {
                let peer = SERVICES[usize::from(span.service)].external.unwrap_or("external-api");
                field(out, "name", peer);
                out.extend_from_slice(b",\"kind\":\"client\"");
                field(out, "peer_service", peer);
            }
            Work::Call { service, route, region } => {
                let callee = &SERVICES[usize::from(service)];
                let r = &callee.routes[usize::from(route)];
                field(out, "name", &callee.name_of_call(r));
                out.extend_from_slice(b",\"kind\":\"client\"");
                out.extend_from_slice(&self.route(service, route).span_outcome[failure]);
                field(out, "peer_service", callee.name);
                if region != span.region {
                    field(out, "peer.region", REGIONS[usize::from(region)].name);
                }
            }
        }
        out.extend_from_slice(&self.errors[failure]);
        out.extend_from_slice(self.version(span.version));
        out.extend_from_slice(b"}\n");
    }
}

impl super::world::Service {
    fn name_of_call(&self, route: &Route) -> String {
        format!("{} {}", self.name, route.operation)
    }
}
