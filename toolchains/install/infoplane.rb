# Homebrew: brew install --HEAD ./toolchains/install/infoplane.rb
# Builds the newest state of the repository; a release adds url and sha256 above head.
class Infoplane < Formula
  desc "How language models compress what they read, layer by layer"
  homepage "https://github.com/infoplane/infoplane"
  license "Apache-2.0"
  head "https://github.com/infoplane/infoplane.git", branch: "main"

  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "xxhash" => :build
  depends_on "jansson"
  depends_on "mimalloc"
  depends_on "pcre2"
  depends_on "sleef"
  depends_on "utf8proc"
  depends_on "zstd"
  uses_from_macos "zlib"

  def install
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    demo = share/"infoplane/demo"
    output = shell_output("#{bin}/infoplane analyze #{demo}/demo.q8_0.gguf #{demo}/heldout.jsonl --documents 20 --json --quiet")
    assert_match '"schema": "infoplane.run/1"', output
  end
end
