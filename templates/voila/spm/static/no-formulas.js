// In place of MathJax, which Voila would ask of a CDN: our pages hold no formulas.
"use strict";
const nothing = () => {};
window.MathJax = {
  Ajax: {},
  InputJax: { TeX: { resetEquationNumbers: nothing } },
  Hub: { Config: nothing, Configured: nothing, Queue: nothing, Register: { StartupHook: nothing } },
};
