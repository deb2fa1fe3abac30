//! Tables: one line for each hop (who asked whom for what, and how it was answered), or for each step of an
//! analysis.

use cmglab_lab::{AnalyzedStep, Hop, StepVerdict};

use crate::console::{Console, Tone};

/// The lines of a run's hops.
pub(crate) fn hops(hops: &[Hop], console: Console) -> Vec<String> {
    let rows: Vec<[String; 4]> = hops.iter().map(row).collect();
    let width = |column: usize, title: &str, most: usize| {
        let widest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        widest.max(title.len()).min(most)
    };
    let widths = [width(0, "who", 36), width(1, "what", 84), width(2, "answer", 48)];
    let line = |cells: [&str; 4]| {
        format!(
            "  {:<w0$}  {:<w1$}  {:<w2$}  {:>8}",
            clip(cells[0], widths[0]),
            clip(cells[1], widths[1]),
            clip(cells[2], widths[2]),
            cells[3],
            w0 = widths[0],
            w1 = widths[1],
            w2 = widths[2],
        )
    };
    let title = console.paint(Tone::Dim, &line(["who", "what", "answer", "time"]));
    let body = hops.iter().zip(&rows).map(|(hop, [who, what, answer, taken])| {
        let text = line([who, what, answer, taken]);
        if hop.succeeded() { text } else { console.paint(Tone::Bad, &text) }
    });
    std::iter::once(title).chain(body).collect()
}

/// The lines of an analysis: what is found stands whole, with the fix of a failure below.
pub(crate) fn steps(steps: &[AnalyzedStep], console: Console) -> Vec<String> {
    let widest = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    let width = widest.clamp("step".len(), 72);
    let line = |verdict: &str, name: &str, found: &str| {
        format!("  {verdict:<7}  {:<width$}  {found}", clip(name, width))
    };
    let title = console.paint(Tone::Dim, &line("verdict", "step", "description"));
    let body = steps.iter().flat_map(|step| {
        let (verdict, tone) = match step.verdict {
            StepVerdict::Passed => ("passed", None),
            StepVerdict::Failed => ("failed", Some(Tone::Bad)),
            StepVerdict::Skipped => ("skipped", Some(Tone::Dim)),
        };
        let text = line(verdict, &step.name, &step.description);
        let text = tone.map_or_else(|| text.clone(), |tone| console.paint(tone, &text));
        let fix = step.advice.as_ref().map(|advice| format!("  {:<7}  fix: {advice}", ""));
        std::iter::once(text).chain(fix)
    });
    std::iter::once(title).chain(body).collect()
}

fn row(hop: &Hop) -> [String; 4] {
    let answer = match hop.status {
        Some(status) => format!("{status} {}", hop.reason),
        None => format!("no answer: {}", hop.reason),
    };
    [
        format!("{} -> {}", hop.from, hop.to),
        format!("{} {}", hop.method, hop.target),
        answer,
        format!("{} ms", hop.taken_ms),
    ]
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
