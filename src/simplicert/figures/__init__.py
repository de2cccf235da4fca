"""Draw what analysis and simplex computed onto given axes. No arithmetic, no pyplot."""
