import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import ts from 'typescript';

/**
 * An object looked up by a text from outside finds `constructor` and the other names of Object.prototype. A Map does
 * not. Keys whose type is a union of literals are known, and may be looked up.
 */
const noIndexByText = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { text: 'An object is looked up by a text: use a Map, or a key whose type lists all keys.' },
  },
  create(context) {
    const { getTypeAtLocation, program } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    return {
      'MemberExpression[computed=true]'(node) {
        const isText = (type) => (type.isUnion() ? type.types.some(isText) : (type.flags & TEXT) !== 0);
        if (!isText(getTypeAtLocation(node.property))) return;
        const object = checker.getApparentType(getTypeAtLocation(node.object));
        if (checker.getStringIndexType?.(object) ?? object.getStringIndexType()) {
          context.report({ node, messageId: 'text' });
        }
      },
    };
  },
};
const TEXT = ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral;

const onlyTypes = (layer, patterns, message) => ({
  files: [`lib/${layer}/**`],
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }],
  },
});

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
    plugins: { keepalive: { rules: { 'no-index-by-text': noIndexByText } } },
    rules: { 'keepalive/no-index-by-text': 'error' },
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
  onlyTypes(
    'rules',
    [
      'node:*',
      '../config/*',
      '../probe/*',
      '../store/*',
      '../view/*',
      '../deliver/*',
      'undici',
      '@upstash/*',
      '@redis/*',
    ],
    'Rules are pure: they see types only, no clock, environment, network or store.',
  ),
  {
    files: ['lib/rules/**'],
    rules: {
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
