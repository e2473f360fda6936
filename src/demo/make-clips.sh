#!/bin/sh
# Makes the clips of the demonstration channels with ffmpeg: src/demo/make-clips.sh [title-font.ttf [clock-font.ttf]]
#
# A clip must loop without a seam, so everything in it has a period of exactly 16 s: 400 video frames at 25 fps and
# 750 AAC frames of 1024 samples at 48 kHz. The AAC encoder fades in from silence and out again; the frames at both
# ends are dropped, so that the first frame kept continues the last one.
set -eu
cd "$(dirname "$0")"
mkdir -p clips

# Prints the file of the font that fontconfig finds for pattern $1.
font_file() {
  fc-match --format '%{file}' "$1"
}

title_font=${1:-$(font_file 'DejaVu Sans:bold')}
clock_font=${2:-$(font_file 'DejaVu Sans Mono:bold')}

VIDEO_FRAMES=400
FIRST_AUDIO_FRAME=8
END_AUDIO_FRAME=758
TONE_SECONDS=17

# make_clip FILE TITLE TONE_HZ BAR_COLOUR RED GREEN BLUE: the last three are geq expressions of the background.
# TONE_HZ is a whole number, and the tremolo lasts 4 s, because 16 s must hold whole periods of both.
make_clip() {
  background="nullsrc=s=640x360:r=25:d=0.04,format=gbrp,geq=r='$5':g='$6':b='$7'"
  background="$background,loop=loop=-1:size=1,setpts=N/25/TB,trim=end_frame=$VIDEO_FRAMES"
  trough="drawbox=x=0:y=352:w=640:h=8:color=black@0.35:t=fill"
  title="drawtext=fontfile=$title_font:text='$2':fontsize=64:fontcolor=white:x=(w-text_w)/2:y=84"
  title="$title:shadowx=2:shadowy=2:shadowcolor=black@0.5"
  clock="drawtext=fontfile=$clock_font:timecode='00\:00\:00\:00':rate=25:fontsize=44:fontcolor=white"
  clock="$clock:x=(w-text_w)/2:y=200:box=1:boxborderw=14:boxcolor=black@0.35"
  bar="overlay=x='-640+640*(n+1)/$VIDEO_FRAMES':y=352:shortest=1"
  tone="aevalsrc='0.08*sin(2*PI*$3*t)*(0.7+0.3*sin(2*PI*t/4))':c=mono:s=48000:d=$TONE_SECONDS"

  ffmpeg -nostdin -y -v error -f lavfi -i "$tone" -filter_complex \
    "$background,$trough,$title,$clock[still]; color=$4:s=640x8:r=25[bar]; [still][bar]$bar,format=yuv420p[video]" \
    -map '[video]' -c:v libx264 -profile:v main -preset veryslow -tune animation -crf 24 -bf 0 \
    -g 25 -keyint_min 25 -sc_threshold 0 -flags:v +cgop -bsf:v filter_units=remove_types=6 \
    -map 0:a -c:a aac -b:a 48k \
    -bsf:a "noise=drop='lt(n,$FIRST_AUDIO_FRAME)+gte(n,$END_AUDIO_FRAME)',setts=ts=PTS-STARTPTS" \
    -fflags +bitexact -metadata service_provider=sluice -metadata service_name="$2" \
    -f mpegts -muxdelay 0.4 -pat_period 0.08 -sdt_period 1 -pcr_period 40 -pes_payload_size 0 "clips/$1.mpegts"
}

make_clip one 'sluice one' 220 0x7fe3ff \
  '14+22*(X/W)+10*sin(hypot(X-560,Y-40)/26)' \
  '40+70*(X/W)+16*sin(hypot(X-560,Y-40)/26)' \
  '92+70*(Y/H)+22*sin(hypot(X-560,Y-40)/26)'
make_clip two 'sluice two' 277 0xffd27f \
  '120+70*(Y/H)+20*sin((X+Y)/34)' \
  '40+46*(Y/H)+12*sin((X+Y)/34)' \
  '62-26*(Y/H)+6*sin((X+Y)/34)'
make_clip three 'sluice three' 330 0xb8f7a5 \
  '24+24*(X/W)+10*sin(X/40)*sin(Y/40)' \
  '84+34*(1-Y/H)+20*sin(X/40)*sin(Y/40)' \
  '66+40*(X/W)+14*sin(X/40)*sin(Y/40)'
make_clip four 'sluice four' 370 0xf7a8d8 \
  '104+60*(X/W)+18*sin(hypot(X-320,Y-180)/30)' \
  '30+34*(Y/H)+10*sin(hypot(X-320,Y-180)/30)' \
  '84+40*(1-Y/H)+16*sin(hypot(X-320,Y-180)/30)'
make_clip five 'sluice five' 415 0xd9f26b \
  '30+26*(Y/H)+10*sin((X-Y)/38)' \
  '78+44*(X/W)+16*sin((X-Y)/38)' \
  '96+30*(1-X/W)+14*sin((X-Y)/38)'
make_clip six 'sluice six' 466 0xff9f8f \
  '40+30*(X/W)+14*sin(hypot(X-80,Y-320)/28)' \
  '52+36*(1-Y/H)+12*sin(hypot(X-80,Y-320)/28)' \
  '120+50*(Y/H)+18*sin(hypot(X-80,Y-320)/28)'
