//! Both directions against a network that loses, repeats and delays.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// What becomes of one request and its answer.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
    /// The request is thought lost, and arrives so many steps later.
    Late(usize),
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Answered),
        1 => Just(Fate::RequestLost),
        2 => Just(Fate::AnswerLost),
        2 => (0..5_usize).prop_map(Fate::Late),
    ];
    prop::collection::vec(fate, 0..200)
}

fn piece(number: Number) -> Bytes {
    Bytes::from(format!("piece {number}"))
}

/// Requests that are still on their way.
#[derive(Default)]
struct Delayed(Vec<(usize, Number)>);

impl Delayed {
    fn due(&mut self) -> Vec<Number> {
        let (due, later) = self.0.drain(..).partition(|(steps, _)| *steps == 0);
        self.0 = later;
        self.0.iter_mut().for_each(|(steps, _)| *steps -= 1);
        let due: Vec<(usize, Number)> = due;
        due.into_iter().map(|(_, number)| number).collect()
    }
}

proptest! {
    #[test]
    fn what_goes_up_arrives_once_and_in_order(fates in fates()) {
        let (mut gateway, mut arrived) = (Incoming::default(), Vec::new());
        let mut receive = |number| {
            let arrival = gateway.arrival(number);
            if arrival == Arrival::Next {
                arrived.push(piece(number));
                gateway.taken();
            }
            arrival
        };
        let (mut number, mut delayed) = (0, Delayed::default());
        for fate in fates {
            for late in delayed.due() {
                prop_assert_ne!(receive(late), Arrival::Gap);
            }
            match fate {
                Fate::RequestLost => {}
                Fate::Late(steps) => delayed.0.push((steps, number)),
                Fate::AnswerLost => prop_assert_ne!(receive(number), Arrival::Gap),
                Fate::Answered => {
                    prop_assert_ne!(receive(number), Arrival::Gap);
                    number += 1;
                }
            }
        }
        // The last one may have arrived without its sender's knowledge.
        prop_assert!([number, number + 1].contains(&(arrived.len() as Number)));
        let count = arrived.len() as Number;
        prop_assert_eq!(arrived, (0..count).map(piece).collect::<Vec<_>>());
    }

    #[test]
    fn what_goes_down_arrives_once_and_in_order(fates in fates()) {
        let (mut gateway, mut made) = (Outgoing::default(), 0);
        let mut ask = |number| match gateway.wish(number) {
            Wish::Again(piece) => Some(piece),
            Wish::New => {
                made += 1;
                Some(gateway.give(piece(made - 1)))
            }
            Wish::Gap => None,
        };
        let (mut arrived, mut delayed) = (Vec::new(), Delayed::default());
        for fate in fates {
            for late in delayed.due() {
                // Nobody hears this answer; it must only do no harm.
                let _unheard = ask(late);
            }
            let number = arrived.len() as Number;
            match fate {
                Fate::RequestLost => {}
                Fate::Late(steps) => delayed.0.push((steps, number)),
                Fate::AnswerLost => prop_assert_eq!(ask(number), Some(piece(number))),
                Fate::Answered => {
                    let answer = ask(number);
                    prop_assert_eq!(answer.as_ref(), Some(&piece(number)));
                    arrived.extend(answer);
                }
            }
        }
        prop_assert!([arrived.len(), arrived.len() + 1].contains(&(made as usize)));
    }
}

#[test]
fn one_who_has_lost_count_is_told() {
    assert_eq!(Incoming::default().arrival(1), Arrival::Gap);
    let mut outgoing = Outgoing::default();
    assert_eq!(outgoing.wish(1), Wish::Gap);
    assert_eq!(outgoing.wish(0), Wish::New);
    outgoing.give(piece(0));
    assert_eq!(outgoing.wish(0), Wish::Again(piece(0)));
    assert_eq!(outgoing.wish(1), Wish::New);
    // Who asks for the next has had the one before.
    assert_eq!(outgoing.wish(0), Wish::Gap);
    assert_eq!(outgoing.wish(Number::MAX), Wish::Gap);
}
