use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

fn frozen() -> Clock {
    Clock::running_from(Timestamp::from_second(1_700_000_000).unwrap(), 0.0)
}

async fn until_waiting(clock: &Clock, count: usize) {
    while clock.time.waiting() < count {
        tokio::task::yield_now().await;
    }
}

impl VirtualTime {
    fn waiting(&self) -> usize {
        self.waiters()
    }
}

#[tokio::test]
async fn a_frozen_clock_moves_only_by_advance() {
    let clock = frozen();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.advance(SignedDuration::from_hours(8)).await;
    assert_eq!(clock.now().duration_since(before), SignedDuration::from_hours(8));
    assert_eq!(clock.jumps(), 1);
}

#[tokio::test]
async fn advance_returns_after_the_woken_work_is_done() {
    let clock = frozen();
    let due = clock.now().saturating_add(SignedDuration::from_mins(5)).unwrap();
    let done = Arc::new(Mutex::new(None));
    let (worker, result) = (clock.clone(), Arc::clone(&done));
    let task = tokio::spawn(async move {
        let _tick = worker.sleep_until(due).await;
        tokio::task::yield_now().await;
        *result.lock().unwrap() = Some(worker.now());
    });
    until_waiting(&clock, 1).await;
    clock.advance(SignedDuration::from_mins(10)).await;
    assert_eq!(*done.lock().unwrap(), Some(due), "work saw its own deadline as the present");
    task.await.unwrap();
}

#[tokio::test]
async fn a_periodic_worker_runs_once_for_each_period_of_one_advance() {
    let clock = frozen();
    let runs = Arc::new(Mutex::new(0));
    let (worker, count) = (clock.clone(), Arc::clone(&runs));
    let task = tokio::spawn(async move {
        let mut interval = worker.interval(SignedDuration::from_mins(5));
        loop {
            interval.tick().await;
            tokio::task::yield_now().await;
            *count.lock().unwrap() += 1;
        }
    });
    until_waiting(&clock, 1).await;
    clock.advance(SignedDuration::from_mins(26)).await;
    assert_eq!(*runs.lock().unwrap(), 5);
    task.abort();
}

#[tokio::test]
async fn a_running_clock_ends_a_wait_by_itself() {
    let clock = Clock::running_from(Timestamp::from_second(0).unwrap(), 1000.0);
    let start = clock.now();
    let _tick = clock.sleep(SignedDuration::from_secs(20)).await;
    assert!(clock.now().duration_since(start) >= SignedDuration::from_secs(20));
}

#[tokio::test]
async fn a_skewed_machine_reads_another_time_and_wakes_by_it() {
    let clock = frozen();
    let fast = clock.skewed(SignedDuration::from_mins(10));
    assert_eq!(fast.now().duration_since(clock.now()), SignedDuration::from_mins(10));
    let due = clock.now().saturating_add(SignedDuration::from_mins(10)).unwrap();
    let _already = fast.sleep_until(due).await;
}

#[tokio::test]
async fn a_cancelled_wait_leaves_no_waiter() {
    let clock = frozen();
    let sleeper = clock.clone();
    let task = tokio::spawn(async move { sleeper.sleep(SignedDuration::from_hours(1)).await });
    until_waiting(&clock, 1).await;
    task.abort();
    let _ = task.await;
    assert_eq!(clock.time.waiting(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn waiters_wake_in_the_order_of_their_deadlines(minutes in prop::collection::vec(1_i64..500, 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = frozen();
            let woken = Arc::new(Mutex::new(Vec::new()));
            for &minute in &minutes {
                let (clock, woken) = (clock.clone(), Arc::clone(&woken));
                tokio::spawn(async move {
                    let tick = clock.sleep(SignedDuration::from_mins(minute)).await;
                    woken.lock().unwrap().push(minute);
                    drop(tick);
                });
            }
            until_waiting(&clock, minutes.len()).await;
            clock.advance(SignedDuration::from_mins(500)).await;
            let mut expected = minutes.clone();
            expected.sort_unstable();
            assert_eq!(*woken.lock().unwrap(), expected);
        });
    }
}
