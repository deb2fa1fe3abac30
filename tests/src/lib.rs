//! Nothing here: whole-lab tests live in `lab/`, one binary, one link.
