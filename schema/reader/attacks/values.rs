//! What says that a row group has a value or has none: only what cannot lie is believed.

use super::*;

/// Whether the row group is read for a row that needs this.
fn is_read(target: &Target, need: Need) -> Result<bool> {
    target.craft.write(&target.path)?;
    let predicate = Predicate::new(vec!["digest"], |batch| Ok(vec![true; batch.num_rows()].into())).needing([need]);
    let table = SealedTable::<FileVersion>::open(&target.path)?;
    Ok(!table.groups(&Prune::default(), &[predicate])?.is_empty())
}

fn digest(wanted: &'static str) -> Need {
    Need::text("digest", move |digest| digest == wanted)
}

#[test]
fn a_group_without_the_value_is_not_read() -> Result<()> {
    let mut target = target()?;
    assert!(is_read(&target, digest("aa"))? && !is_read(&target, digest("bb"))?);
    let path = |wanted| Need::text("path", move |path| path == wanted);
    assert!(is_read(&target, path("/usr/bin/29"))? && !is_read(&target, path("/usr/bin/30"))?);
    assert!(!is_read(&target, Need::text("doubts", |_| true))?, "empty lists have no values");
    assert!(!is_read(&target, Need::is_true("root_is_host"))?);
    assert!(is_read(&target, Need::text("of_another_version", |_| false))?);
    // Nothing else of it is looked at.
    target.change_page("mode", 1, |_, body| body.fill(0xff))?;
    assert!(!is_read(&target, digest("bb"))?);
    Ok(())
}

#[test]
fn a_single_true_is_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let is_host = |row| FileVersion { root_is_host: row == 4321, ..version("/a", "aa", row) };
    let path = write(directory.path(), &(0..5000).map(is_host).collect::<Vec<_>>())?;
    let craft = Craft::new(&path)?;
    assert!(is_read(&Target { _directory: directory, path, craft }, Need::is_true("root_is_host"))?);
    Ok(())
}

#[test]
fn bounds_in_the_footer_are_not_believed() -> Result<()> {
    let mut target = target()?;
    let statistics = target.craft.chunk("digest").at(&[3, 12]);
    for number in [1, 2, 5, 6] {
        statistics.set(number, Value::Binary(b"zz".to_vec()));
    }
    assert!(is_read(&target, digest("aa"))? && !is_read(&target, digest("zz"))?);
    Ok(())
}

#[test]
fn what_cannot_be_told_is_read() -> Result<()> {
    let mut plain = target()?;
    plain.change_page("digest", 1, |header, _| header.at(&[5]).set(2, Value::int(0)))?;
    assert!(is_read(&plain, digest("bb"))?, "values beside the dictionary");
    let mut damaged = target()?;
    damaged.change_page("digest", 0, |_, body| body.fill(0xff))?;
    assert!(is_read(&damaged, digest("bb"))?);
    damaged.expect_error("column `digest`")?;
    let mut longer = target()?;
    longer.change_page("digest", 0, |header, _| header.at(&[7]).set(1, Value::int(0)))?;
    assert!(is_read(&longer, digest("bb"))?, "more bytes than values");
    Ok(())
}
