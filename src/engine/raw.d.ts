// Files that are taken in as their text when the engine is built.
declare module '*?raw' {
  const text: string;
  export default text;
}
