//! "Did you mean …": the known word that is nearest to a mistyped one.

/// Names the nearest of `known`, or lists them all when none is near.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|one| (distance(word, one), *one)).min();
    match nearest {
        Some((distance, one)) if distance <= (one.len() / 3).max(1) => format!("did you mean `{one}`?"),
        _ => format!("write one of {}", listed(known)),
    }
}

fn listed(known: &[&str]) -> String {
    known.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (lower(left), lower(right));
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(l != r)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

/// A mistyped word is short; what is longer is no typing mistake and is not worth the work.
fn lower(word: &str) -> Vec<char> {
    word.chars().take(64).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_named_and_far_ones_are_listed() {
        let known = ["expect", "lab", "steps"];
        assert_eq!(did_you_mean("exepct", &known), "did you mean `expect`?");
        assert_eq!(did_you_mean("Lab", &known), "did you mean `lab`?");
        assert_eq!(did_you_mean("colour", &known), "write one of `expect`, `lab`, `steps`");
        assert_eq!(did_you_mean("", &[]), "write one of ");
    }

    #[test]
    fn distances_count_a_swap_once() {
        assert_eq!(distance("giud", "guid"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
