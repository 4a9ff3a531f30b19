use std::{
    io::{BufRead as _, BufReader, pipe},
    sync::mpsc,
    time::Duration,
};

use super::*;

/// A time that only a stalled writer would take.
const PATIENCE: Duration = Duration::from_secs(20);

/// More than a pipe and the buffers take.
const FLOOD: usize = 4000;

#[test]
fn a_stalled_reader_stalls_nobody_and_is_told_what_was_lost_once_it_reads() {
    let (reader, stream) = pipe().expect("a pipe");
    let (told, hears) = mpsc::channel();
    let (mut writer, log) = buffered(stream, 10, move |lost| told.send(lost).expect("a listener"));
    let (done, waits) = mpsc::channel();
    let lost_lines = log.lost_lines();
    std::thread::spawn(move || {
        let line = format!("{}\n", "x".repeat(999));
        (0..FLOOD).for_each(|_| writer.write_all(line.as_bytes()).expect("never an error"));
        done.send(()).expect("a listener");
    });
    waits.recv_timeout(PATIENCE).expect("whoever logs waits for the reader");
    let lost = lost_lines();
    assert!(lost > 0, "a pipe that holds {FLOOD} lines");

    let lines = std::thread::spawn(move || BufReader::new(reader).lines().count());
    drop(log);
    assert_eq!(lines.join().expect("lines") as u64 + lost, FLOOD as u64);
    // Some may have been lost, and told, before the pipe was full.
    assert_eq!(hears.iter().sum::<usize>() as u64, lost);
}

#[test]
fn what_flows_is_whole_and_nothing_is_told() {
    let (reader, stream) = pipe().expect("a pipe");
    let (told, hears) = mpsc::channel();
    let (mut writer, log) = buffered(stream, 100, move |lost| told.send(lost).expect("a listener"));
    let lines = std::thread::spawn(move || BufReader::new(reader).lines().collect::<Vec<_>>());
    for number in 0..50 {
        writer.write_all(format!("line {number}\n").as_bytes()).expect("never an error");
    }
    drop((writer, log));
    let lines = lines.join().expect("lines");
    assert_eq!(lines.len(), 50);
    assert_eq!(lines[49].as_ref().expect("text"), "line 49");
    assert!(hears.try_recv().is_err());
}
