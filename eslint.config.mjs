// ESLint for the pages that facemood serves and writes. Run it by `make check-js`.

import js from "@eslint/js";
import globals from "globals";

const STATIC = "src/facemood/server/static";
const REVIEW = "src/facemood/review/static";
const ENGINE = "src/facemood/web";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "consistent-return": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": ["error", { allowShortCircuit: true, allowTernary: true }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  { files: [`${STATIC}/*.js`, `${REVIEW}/*.js`], languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser } },
  { files: [`${ENGINE}/page/*.js`], languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser } },
  { files: [`${ENGINE}/*.js`], languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.worker } },
  { files: [`${ENGINE}/sw.js`], languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.serviceworker } },
  { files: [`${STATIC}/worker.js`, `${STATIC}/encoder.js`], languageOptions: { sourceType: "script", globals: globals.worker } },
  { files: [`${STATIC}/notebook.js`], languageOptions: { sourceType: "script", globals: globals.browser } },
  {
    files: ["src/facemood/sinks/report/page.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "script", globals: globals.browser },
  },
];
