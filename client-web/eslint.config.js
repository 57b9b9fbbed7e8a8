import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'

// Imports run one way only: protocol <- rtc <- lesson <- desk <- ui.
const above = (...folders) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: folders.map((folder) => ({
        group: [`@/${folder}/*`, `../${folder}/*`, `**/${folder}/**`],
        message: `Imports run upwards to ${folder}; they may only run downwards.`,
      })),
    },
  ],
})

const noDom = [
  'document', 'window', 'navigator', 'localStorage', 'sessionStorage', 'location', 'history',
  'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'WebSocket', 'fetch',
].map((name) => ({ name, message: 'Injected here: this layer knows no page and no clock.' }))

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'src/protocol/messages.ts'] },
  ...tseslint.configs.strictTypeChecked,
  ...vue.configs['flat/recommended'],
  {
    languageOptions: {
      parserOptions: {
        parser: tseslint.parser,
        projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/*.mjs'] },
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/require-default-prop': 'off',
    },
  },
  {
    files: ['src/protocol/**'],
    rules: {
      ...above('rtc', 'lesson', 'ui'),
      'no-restricted-globals': ['error', ...noDom, { name: 'RTCPeerConnection' }],
    },
  },
  {
    files: ['src/rtc/**'],
    rules: { ...above('lesson', 'ui'), 'no-restricted-globals': ['error', ...noDom] },
  },
  { files: ['src/lesson/**', 'src/desk/**'], rules: above('ui') },
  {
    files: ['eslint.config.js', 'scripts/**'],
    ...tseslint.configs.disableTypeChecked,
  },
)
