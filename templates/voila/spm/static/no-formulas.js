// In place of MathJax: our pages hold no formulas, and nothing may be asked of another machine.
