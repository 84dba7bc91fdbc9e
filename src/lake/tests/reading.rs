//! What reading says of files that are not as they were written.

use super::*;

#[tokio::test]
async fn a_file_that_was_cut_short_or_changed_is_named() {
    let (dir, lake) = new_lake().await;
    let mut writer = lake.writer("logs").await.unwrap();
    write(&mut writer, "eu", 0, 10).await;
    writer.commit(&[]).await.unwrap();
    let file = parquet_files(dir.path()).remove(0);
    let whole = std::fs::read(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    // The length of the footer.
    let (mut changed, end) = (whole.clone(), whole.len() - 5);
    changed[end] ^= 0xff;
    let cut = format!("expected the {} bytes that the table's log lists", whole.len());
    for (bytes, said) in [(&whole[..whole.len() / 2], cut.as_str()), (&changed, "its footer")] {
        std::fs::write(&file, bytes).unwrap();
        let read = context(&lake).await.sql("select count(service) from logs").await.unwrap().collect().await;
        let error = read.unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains(said), "{error}");
    }
}
