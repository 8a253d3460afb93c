import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import keepalive from './lint-rules.js';

const BROWSER = Object.fromEntries(
  [
    'window',
    'document',
    'getComputedStyle',
    'CSS',
    'CustomEvent',
    'DOMParser',
    'Element',
    'ResizeObserver',
  ].map((name) => [name, 'readonly']),
);

export default tseslint.config(
  { ignores: ['dist', '.vercel', 'node_modules', 'public/vendor'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', 'public/*.js', 'scripts/*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['api/**', 'lib/**', 'bin/**'],
    ignores: ['lib/config/env.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only lib/config/env.ts reads the environment.' },
      ],
    },
  },
  {
    files: ['api/**', 'lib/**', 'bin/**'],
    ignores: ['**/*.js'],
    plugins: { keepalive },
    rules: { 'keepalive/no-index-by-text': 'error' },
  },
  {
    files: ['api/**', 'lib/**', 'bin/**'],
    plugins: { keepalive },
    rules: { 'keepalive/layers': 'error', 'keepalive/no-circles': 'error' },
  },
  {
    files: ['api/**', 'lib/**', 'bin/**'],
    // Preact's types bring those of the browser with them.
    rules: { 'no-restricted-globals': ['error', ...Object.keys(BROWSER)] },
  },
  {
    files: ['public/*.js', 'scripts/*.js'],
    languageOptions: {
      globals: { ...BROWSER, AbortSignal: 'readonly', fetch: 'readonly', setInterval: 'readonly' },
    },
  },
  {
    files: ['lib/rules/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*', 'undici'], message: 'Rules are pure: no clock, environment or network.' },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'Rules get the time as an argument.',
        },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Rules get the time as an argument.',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Rules get chance as an argument.',
        },
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
