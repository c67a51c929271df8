// The pages of the guide in the order of its sidebar. Every page of docs/ is in it.
interface Section {
  readonly text: string;
  readonly items: readonly { readonly text: string; readonly link: string }[];
}

export const sections: readonly Section[] = [
  {
    text: "Start",
    items: [
      { text: "Getting started", link: "/getting-started" },
      { text: "Which optimizer?", link: "/which-optimizer" },
      { text: "Gradients of your own", link: "/gradients" },
      { text: "The MLP", link: "/mlp" },
      { text: "Networks", link: "/networks" },
      { text: "The MNIST command", link: "/mnist" },
      { text: "Networks that run", link: "/examples" },
    ],
  },
  {
    text: "Training",
    items: [
      { text: "Recipes", link: "/recipes" },
      { text: "Schedules", link: "/schedules" },
      { text: "Checkpoints and PyTorch", link: "/checkpoints" },
      { text: "State in fewer bytes", link: "/state" },
      { text: "Threads", link: "/threads" },
      { text: "Many machines", link: "/distributed" },
    ],
  },
  {
    text: "Where it runs",
    items: [
      { text: "TensorFlow.js", link: "/tfjs" },
      { text: "At the edge", link: "/edge" },
      { text: "Bundlers and test runners", link: "/bundlers" },
    ],
  },
  {
    text: "Look up",
    items: [
      { text: "Every rule in detail", link: "/rules" },
      { text: "Migration", link: "/migration" },
      { text: "Troubleshooting", link: "/troubleshooting" },
    ],
  },
  {
    text: "Background",
    items: [
      { text: "In pictures", link: "/pictures" },
      { text: "Performance", link: "/performance" },
      { text: "How it works inside", link: "/inside" },
      { text: "How a sweep is arranged", link: "/kernels" },
    ],
  },
];
