// ESLint's typed rules read plain TypeScript, which does not know single-file components.
declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}
