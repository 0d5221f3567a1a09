package dev.epoll.benchmarks.servers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.TimeUnit;

/** Netty's HTTP codec, with one event loop: the same answer as the example's to /plaintext. */
public final class NettyPlaintext {
  private NettyPlaintext() {}

  /** Serves until it is killed. */
  public static void main(String[] arguments) throws InterruptedException {
    EventLoopGroup loop = NettyServer.oneLoop();
    Answer answer = new Answer();
    var unused = loop.scheduleAtFixedRate(answer::setDate, 1, 1, TimeUnit.SECONDS);
    NettyServer.serve(
        loop,
        new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new HttpServerCodec(), answer);
          }
        });
  }

  /** Thread: that of the event loop. */
  @Sharable
  private static final class Answer extends ChannelInboundHandlerAdapter {
    private static final ByteBuf BODY =
        Unpooled.unreleasableBuffer(
            Unpooled.directBuffer()
                .writeBytes("Hello, World!".getBytes(StandardCharsets.US_ASCII)));
    private static final CharSequence LENGTH =
        new AsciiString(Integer.toString(BODY.readableBytes()));

    private CharSequence date = now();

    private static CharSequence now() {
      return new AsciiString(
          DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    }

    void setDate() {
      date = now();
    }

    @Override
    public void channelRead(ChannelHandlerContext channel, Object message) {
      try {
        // The end of the request comes as a message of its own.
        if (message instanceof HttpRequest request) {
          boolean found = request.uri().equals("/plaintext");
          var unused = channel.write(found ? hello() : notFound(), channel.voidPromise());
        }
      } finally {
        ReferenceCountUtil.release(message);
      }
    }

    private FullHttpResponse hello() {
      FullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.OK,
              BODY.duplicate(),
              DefaultHttpHeadersFactory.headersFactory().withValidation(false),
              DefaultHttpHeadersFactory.trailersFactory());
      response
          .headers()
          .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN)
          .set(HttpHeaderNames.CONTENT_LENGTH, LENGTH)
          .set(HttpHeaderNames.DATE, date);
      return response;
    }

    private static FullHttpResponse notFound() {
      FullHttpResponse response =
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NOT_FOUND);
      response.headers().set(HttpHeaderNames.CONTENT_LENGTH, HttpHeaderValues.ZERO);
      return response;
    }

    /** The client broke off. */
    @Override
    public void exceptionCaught(ChannelHandlerContext channel, Throwable cause) {
      var unused = channel.close();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext channel) {
      channel.flush();
    }
  }
}
