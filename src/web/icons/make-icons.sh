#!/bin/sh
# Makes the icons of the pages from icon.svg with Chromium and ffmpeg: src/web/icons/make-icons.sh
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make_icon PIXELS
make_icon() {
  printf '<style>*{margin:0}img{display:block;width:%spx}</style><img src="file://%s/icon.svg">' "$1" "$PWD" >"$work/page.html"
  # The window is larger than the picture: a browser may take something of its height for itself.
  chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync \
    --user-data-dir="$work/profile" --default-background-color=00000000 --hide-scrollbars \
    --window-size=800,800 --screenshot="$work/icon.png" "file://$work/page.html" 2>"$work/log"
  ffmpeg -nostdin -y -v error -i "$work/icon.png" -vf "crop=$1:$1:0:0,split[a][b];[a]palettegen=max_colors=64[p];[b][p]paletteuse=dither=none" \
    -compression_level 100 "icon-$1.png"
}

make_icon 192
make_icon 512
