import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** These differ between engines in their last digits; src/util/exact.ts has them from basic operations. */
const engineDependent = ["exp", "expm1", "log", "log1p", "log2", "log10", "pow", "cbrt", "hypot", "sin", "cos", "tan"]
  .concat(["asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"])
  .map((property) => ({ object: "Math", property, message: "Differs between engines: use src/util/exact.ts." }));

export default tseslint.config(
  {
    ignores: [
      "build/",
      "dist/",
      "dist-site/",
      "out/",
      "assembly/**/*.ts",
      "src/wasm/generated/",
      "test/consumers/",
      "bench/peers/",
      "examples/worker/",
    ],
  },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.tools.json" } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/prefer-for-of": "off",
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-properties": ["error", ...engineDependent],
      "no-restricted-syntax": [
        "error",
        {
          selector: "BinaryExpression[operator='**']:not([left.value=2][right.type='Literal'])",
          message: "Differs between engines.",
        },
      ],
    },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        WebAssembly: "readonly",
        fetch: "readonly",
      },
    },
  },
);
