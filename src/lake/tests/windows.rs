//! What a window of time asks of the files.

use super::*;

#[tokio::test]
async fn counts_and_time_range_come_from_the_log_alone() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    write(&mut writer, "eu", 1, 7).await;
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    let sql = "select count(*) as n, min(timestamp) as a, max(timestamp) as b from logs";
    assert_eq!(values(&ctx, sql).await, "17,2025-01-15T13:00:00Z,2025-01-15T14:00:06Z");
    let plan = query(&ctx, &format!("explain {sql}")).await;
    assert!(!plan.contains("DataSourceExec"), "{plan}");
}

#[tokio::test]
async fn a_window_that_cuts_no_file_is_decided_without_the_times_of_rows() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for hour in 0..3 {
        write(&mut writer, "eu", hour, 10).await;
    }
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    let check = async |window: &str, count: u64, is_decided: bool| {
        let sql = format!("select count(*) as n from logs where {window}");
        assert_eq!(values(&ctx, &sql).await, count.to_string(), "{window}");
        let plan = query(&ctx, &format!("explain {sql}")).await;
        assert_eq!(!plan.contains("DataSourceExec"), is_decided, "{window}: {plan}");
        let sql = format!("select service from logs where {window} limit 5");
        let rows = values(&ctx, &sql).await;
        assert_eq!(rows.split_terminator(';').count() as u64, count.min(5), "{window}");
    };
    // Rows stand at seconds 0 to 9 of each hour.
    check("timestamp >= '2025-01-15T14:00:00Z' and timestamp < '2025-01-15T15:00:00Z'", 10, true).await;
    check("timestamp > '2025-01-15T13:00:09Z' and '2025-01-15T14:00:09Z' >= timestamp", 10, true).await;
    check("timestamp >= '2025-01-16T00:00:00Z'", 0, true).await;
    check("timestamp > '2025-01-15T14:00:00Z' and timestamp < '2025-01-15T15:00:00Z'", 9, false).await;
    check("timestamp >= '2025-01-15T14:00:00Z' and timestamp <= '2025-01-15T15:00:00Z'", 11, false).await;
    check("timestamp <= '2025-01-15T14:00:08Z'", 19, false).await;
    check("timestamp <> '2025-01-15T14:00:00Z'", 29, false).await;
}

#[tokio::test]
async fn rows_by_region_and_hour_are_counted_by_the_log() {
    let (_dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    for (region, hour, rows) in [("eu", 0, 10), ("us", 0, 4), ("eu", 1, 7), ("us", 2, 2)] {
        write(&mut writer, region, hour, rows).await;
    }
    writer.commit(&[]).await.unwrap();
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 1, 5).await;
    writer.commit(&[]).await.unwrap();
    let ctx = context(&lake).await;
    ctx.add_optimizer_rule(Arc::new(CountByLog));
    let check = async |sql: &str, expected: &str, is_counted: bool| {
        assert_eq!(values(&ctx, sql).await, expected, "{sql}");
        let plan = query(&ctx, &format!("explain {sql}")).await;
        assert_eq!(!plan.contains("file_groups"), is_counted, "{sql}: {plan}");
    };
    let by_region = |filter: &str| {
        format!("select region, count(*) as n from logs where {filter} group by region order by region")
    };
    check(&by_region("true"), "eu,22;us,6", true).await;
    check(&by_region("timestamp >= '2025-01-15T14:00:00Z'"), "eu,12;us,2", true).await;
    check(&by_region("timestamp > '2025-01-15T14:00:00Z'"), "eu,10;us,2", false).await;
    check(&by_region("hour < '2025-01-15T15' and region <> 'us'"), "eu,22", true).await;
    check(&by_region("service = 'nobody'"), "", false).await;
    check(&by_region("timestamp >= '2025-01-16T00:00:00Z'"), "", true).await;
    check(
        "select count(1) as n, hour, region from logs as l group by hour, region order by 2, 3",
        "10,2025-01-15T13,eu;4,2025-01-15T13,us;12,2025-01-15T14,eu;2,2025-01-15T15,us",
        true,
    )
    .await;
    check("select distinct region from logs order by region", "eu;us", true).await;
    check("select count(distinct hour) as hours from logs", "3", true).await;
    check(
        "select region, count(*) filter (where service is null) as n from logs group by region order by 1",
        "eu,0;us,0",
        false,
    )
    .await;
    check(
        "select region, count(service) as n from logs group by region order by region",
        "eu,22;us,6",
        false,
    )
    .await;
    check(
        "select service, count(*) > 0 as any from logs group by service order by 1 limit 1",
        "api,true",
        false,
    )
    .await;
    check("select sum(n) as n from (select region, count(*) as n from logs group by region)", "28", true)
        .await;
}
